{{ config(materialized='table_in_parts') }}

with configurations as (

    select * from {{ ref('configurations') }}
    where {{ in_this_part('workload_id') }}

),

predicted as (

    select * from {{ source('ml', 'predictions') }}
    where {{ in_this_part('workload_id') }}

)

select
    predicted.config_id,
    configurations.configuration,
    predicted.metric,
    {{ unit_of('definitions.unit', 'configurations.throughput_unit') }} as unit,
    predicted.p05,
    predicted.p10,
    predicted.p50,
    predicted.p90,
    predicted.p95,
    predicted.epistemic,
    predicted.aleatoric,
    predicted.in_domain,
    predicted.domain_reason,
    predicted.prob_feasible,
    predicted.measured_value,
    configurations.bounds[predicted.metric] as bound
from predicted
inner join configurations using (config_id)
left join {{ ref('metric_definitions') }} as definitions
    on predicted.metric = definitions.metric
