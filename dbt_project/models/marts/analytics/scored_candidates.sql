{{ config(materialized='table_in_parts') }}

with scored as (

    select * from {{ source('ml', 'scored_candidates') }}
    where {{ in_this_part('workload_id') }}

),

configurations as (

    select * from {{ ref('configurations') }}
    where {{ in_this_part('workload_id') }}

)

select
    scored.objective,
    scored.config_id,
    configurations.configuration,
    configurations.model_name,
    configurations.model_type,
    configurations.hardware,
    configurations.device_count,
    configurations.framework,
    configurations.precision,
    configurations.batch_size,
    scored.uncertainty,
    scored.diversity,
    scored.expected_information_gain,
    scored.hardware_optimization_factor,
    scored.combined_score,
    scored.recommended_hardware,
    scored.hardware_match,
    scored.hardware_score,
    scored.prob_feasible
from scored
inner join configurations using (config_id)
