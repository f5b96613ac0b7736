with options as (

    select * from {{ source('ml', 'hardware_options') }}

),

recommended as (

    select options.objective, options.workload_id, configurations.hardware, configurations.configuration
    from options
    inner join {{ ref('configurations') }} as configurations using (config_id)
    where options.rank = 1

),

asked as (

    select
        'deployment' as kind, file, line, null::varchar as objective, config_id, workload_id, hardware,
        concat_ws(' on ', workload, platform) as configuration,
        requests_per_second, batch_work / batch_size as units_per_request,
    from {{ ref('int_deployments') }}
    union all by name
    select
        'candidate' as kind, scored.objective, config_id, configurations.workload_id, configurations.hardware,
        configurations.configuration,
    from {{ source('ml', 'scored_candidates') }} as scored
    inner join {{ ref('configurations') }} as configurations using (config_id)
    where not scored.hardware_match

),

compared as (

    select
        asked.* exclude (objective),
        coalesce(asked.objective, options.objective) as objective,
        options.rank,
        options.prob_loss,
        options.loss_p05,
        options.loss_p50,
        options.loss_p95,
        case when options.objective = 'cost'
            then options.p50 / 1e6 * units_per_request * requests_per_second * 3600
        end as spent_per_hour
    from asked
    left join options
        on asked.config_id = options.config_id
        and (asked.objective is null or asked.objective = options.objective)

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
