{{ config(materialized='view') }}

{%- set platform = "concat_ws(' ', hardware || ' x' || device_count, framework, nullif(options, ''))" %}

with second as (

    select workload_id, objective, {{ platform }} as second_platform, 100 * loss_p50 as second_loss_percent
    from {{ ref('hardware_recommendations') }}
    where rank = 2

)

select
    objective,
    workload_id,
    workload,
    {{ platform }} as platform,
    hardware,
    device_count,
    framework,
    p05,
    p50,
    p95,
    unit,
    measured,
    in_domain,
    prob_best,
    second_platform,
    second_loss_percent,
    price_per_hour,
    cost_per_million,
    explanation
from {{ ref('hardware_recommendations') }}
left join second using (workload_id, objective)
where rank = 1
