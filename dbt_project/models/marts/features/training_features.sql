{#- The metrics are data: their columns are read from the metrics table when the model is compiled. -#}
-- depends_on: {{ ref('int_metrics') }}
{%- set metrics = run_query('select metric from ' ~ ref('int_metrics') ~ ' order by metric').columns[0].values() if execute else [] -%}
{{ config(post_hook="{{ create_describe_configurations() }}") }}

with derived as (

    select source, comparable_group, list(metric) as derived_metrics
    from {{ ref('int_metrics__derived') }}
    group by all

),

runs as (

    select
        judged.* replace (
            map_from_entries(list_filter(
                map_entries(judged.metrics),
                lambda entry: entry.key not like 'energy%' or source = 'benchmart'
                    or not list_contains(coalesce(derived.derived_metrics, []), entry.key)
            )) as metrics
        ),
        list_contains(coalesce(derived.derived_metrics, []), 'latency_ms') as latency_ms_is_derived,
    from {{ ref('int_runs__judged') }} as judged
    left join derived using (source, comparable_group)
    where verdict = 'accepted' and status = 'ok'

)

select
    * exclude (metrics, verdict, rule, reason, row_hash, line, file, notes, status, run_id, repeated_key, submitter,
        ran_on, simulated, stated_device_count, zero_metrics, published_hardware, published_model_name)
    {%- for metric in metrics %},
    metrics['{{ metric | replace("'", "''") }}'] as "{{ metric | replace('"', '""') }}"
    {%- endfor %}
from runs
order by measurement_id
