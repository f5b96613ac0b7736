{{ config(materialized="view") }}
{%- set sources = [
    'stg_benchmart__runs',
    'stg_llm_inference_bench__results',
    'stg_llm_inference_bench__ttft',
    'stg_timm__runs',
    'stg_qualcomm_ai_hub__runs',
    'stg_mlperf_inference__runs',
    'stg_ml_energy__runs',
    'stg_ml_energy__legacy_runs',
    'stg_aws_neuron__runs',
    'stg_rknn_model_zoo__runs',
    'stg_benchmark_framework__runs',
] -%}

with unioned as (

    {% for source in sources %}
    select * from {{ ref(source) }}
    {% if not loop.last %}union all by name{% endif %}
    {% endfor %}

),

resolved as (

    select
        unioned.* replace (
            coalesce(hardware_aliases.hardware, unioned.hardware) as hardware,
            coalesce(own_alias.model_name, shared_alias.model_name, unioned.model_name) as model_name
        ),
        unioned.hardware as published_hardware,
        unioned.model_name as published_model_name
    from unioned
    left join {{ ref('hardware_aliases') }} as hardware_aliases
        on unioned.source = hardware_aliases.source
        and name_key(unioned.hardware) = hardware_aliases.alias
    left join {{ ref('model_aliases') }} as own_alias
        on unioned.source = own_alias.source
        and lower(unioned.model_name) = own_alias.alias
    left join {{ ref('model_aliases') }} as shared_alias
        on shared_alias.source is null
        and unioned.source != 'benchmart'
        and lower(unioned.model_name) = shared_alias.alias

),

totalled as (

    select
        * replace (
            case when throughput_unit similar to '.*/(device|gpu|chip|accelerator)' and map_contains(metrics, 'throughput')
                then map_concat(metrics, map {'throughput': metrics['throughput'] * coalesce(device_count, 1)})
                else metrics
            end as metrics,
            regexp_replace(throughput_unit, '/(device|gpu|chip|accelerator)$', '') as throughput_unit
        )
    from resolved

)

select
    md5(concat_ws('|', file, line, row_hash)) as measurement_id,
    * replace (
        -- a measured quantity is never zero: it was missing, or rounded away
        case when list_contains(map_values(metrics), 0)
            then map_from_entries(list_filter(map_entries(metrics), lambda entry: entry.value != 0))
            else metrics
        end as metrics
    ),
    list_filter(map_keys(metrics), lambda metric: metrics[metric] = 0) as zero_metrics
from totalled
