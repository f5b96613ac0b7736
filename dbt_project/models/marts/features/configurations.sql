{%- set columns = ['config_id', 'workload_id', 'workload', 'platform', 'comparable_group', 'model_name', 'model_type',
    'task', 'hardware', 'device_count', 'framework', 'framework_version', 'precision', 'batch_size', 'input_length',
    'output_length', 'image_size', 'concurrency', 'options', 'throughput_unit'] -%}

with seen as (

    select {{ columns | join(', ') }}, {{ bounds_by_metric() }} as bounds
    from {{ ref('measured_configurations') }}

),

unseen as (

    select {{ columns | join(', ') }}, {{ bounds_by_metric() }} as bounds
    from {{ ref('candidate_features') }}

)

select *, concat_ws(' on ', workload, platform) as configuration from seen
union all by name
select *, concat_ws(' on ', workload, platform) as configuration from unseen
