with configurations as (

    select * exclude (workload_id, workload, platform) from {{ ref('configurations') }}

),

ranked as (

    select
        *,
        first_value(hardware) over best_first as recommended_hardware,
        row_number() over (partition by workload_id, objective, hardware order by rank) as rank_on_device,
    from {{ source('ml', 'hardware_options') }}
    inner join configurations using (config_id)
    window best_first as (partition by workload_id, objective order by rank)

),

costs as (

    select config_id, p50 as cost_per_million
    from {{ source('ml', 'hardware_options') }}
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
    rank_on_device = 1 and hardware != recommended_hardware
        and expected_regret <= {{ var('alternative_margin') }} as is_alternative,

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
from ranked
left join costs using (config_id)
