{{ config(materialized='table_in_parts') }}

with options as (

    select config_id, workload_id, hardware, concat_ws(' on ', workload, platform) as configuration, objective,
        rank, prob_loss, loss_p05, loss_p50, loss_p95, p50
    from {{ source('ml', 'hardware_options') }}
    where {{ in_this_part('workload_id') }}

),

recommended as (

    select objective, workload_id, hardware, configuration
    from options
    where rank = 1

),

deployments as (

    select
        'deployment' as kind,
        deployed.file,
        deployed.line,
        deployed.config_id,
        deployed.workload_id,
        deployed.hardware,
        concat_ws(' on ', deployed.workload, deployed.platform) as configuration,
        options.* exclude (config_id, workload_id, hardware, configuration),
        case when options.objective = 'cost'
            then options.p50 / 1e6 * batch_work / batch_size * requests_per_second * 3600
        end as spent_per_hour,
    from {{ ref('int_deployments') }} as deployed
    left join options on deployed.config_id = options.config_id
    where {{ in_this_part('deployed.workload_id') }}

),

candidates as (

    select 'candidate' as kind, options.*
    from options
    inner join {{ source('ml', 'scored_candidates') }} as scored using (config_id, objective)
    where not scored.hardware_match and {{ in_this_part('scored.workload_id') }}

),

compared as (

    select * from deployments
    union all by name
    select * from candidates

)

select
    compared.kind,
    compared.file,
    compared.line,
    compared.objective,
    compared.workload_id,
    compared.config_id,
    compared.configuration,
    compared.hardware,
    recommended.hardware as recommended_hardware,
    recommended.configuration as recommended_configuration,

    -- of staying
    compared.prob_loss,
    100 * compared.loss_p05 as loss_percent_p05,
    100 * compared.loss_p50 as loss_percent_p50,
    100 * compared.loss_p95 as loss_percent_p95,
    spent_per_hour * compared.loss_p05 as money_per_hour_p05,
    spent_per_hour * compared.loss_p50 as money_per_hour_p50,
    spent_per_hour * compared.loss_p95 as money_per_hour_p95,

    case when compared.rank is null then 'nothing is predicted of it: no run of its model type, task, unit and'
        || ' precision, or unlikely to run' end as note
from compared
left join recommended using (objective, workload_id)
where compared.rank is null or compared.rank > 1
