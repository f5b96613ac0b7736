{{ config(materialized='view') }}

with ranked as (

    select *, concat_ws(' ', hardware || ' x' || device_count, framework, nullif(options, '')) as platform
    from {{ ref('hardware_recommendations') }}
    where rank <= 2

),

second as (

    select workload_id, objective, platform, loss_p50
    from ranked
    where rank = 2

)

select
    first.objective,
    first.workload_id,
    first.workload,
    first.platform,
    first.hardware,
    first.device_count,
    first.framework,
    first.p05,
    first.p50,
    first.p95,
    first.unit,
    first.measured,
    first.in_domain,
    first.prob_best,
    second.platform as second_platform,
    100 * second.loss_p50 as second_loss_percent,
    first.price_per_hour,
    first.cost_per_million,
    first.explanation
from ranked as first
left join second using (workload_id, objective)
where first.rank = 1
