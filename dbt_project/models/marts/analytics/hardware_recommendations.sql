{{ config(materialized='table_in_parts') }}

with configurations as (

    select * exclude (workload_id, workload, platform, hardware) from {{ ref('configurations') }}
    where {{ in_this_part('workload_id') }}

),

hardware_options as (

    select * from {{ source('ml', 'hardware_options') }}
    where {{ in_this_part('workload_id') }}

),

alternatives as (

    select config_id, objective
    from hardware_options
    where expected_regret <= {{ var('alternative_margin') }}
    qualify row_number() over (partition by workload_id, objective, hardware order by rank) = 1
        and hardware != first_value(hardware) over (partition by workload_id, objective order by rank)

),

costs as (

    select config_id, p50 as cost_per_million
    from hardware_options
    where objective = 'cost'

)

select
    workload_id,
    workload,
    configuration,
    config_id,
    objective,
    rank,
    hardware,
    device_count,
    framework,
    options,

    -- how it compares
    hardware_score,
    prob_best,
    expected_regret,
    prob_loss,
    loss_p05,
    loss_p50,
    loss_p95,
    alternatives.config_id is not null as is_alternative,

    -- what it reaches
    p05,
    p50,
    p95,
    unit,
    measured_value is not null as measured,
    in_domain,
    prob_feasible,
    fits_in_memory,

    -- money
    price_per_hour,
    costs.cost_per_million,

    explanation
from hardware_options
inner join configurations using (config_id)
left join alternatives using (config_id, objective)
left join costs using (config_id)
