{{ config(materialized='view') }}

select
    rankings.objective,
    rankings.rank,
    rankings.config_id,
    configurations.workload_id,
    configurations.workload,
    configurations.model_name,
    configurations.model_type,
    configurations.hardware,
    configurations.device_count,
    configurations.framework,
    configurations.precision,
    configurations.batch_size,
    configurations.input_length,
    configurations.output_length,
    configurations.image_size,
    configurations.concurrency,
    rankings.configuration,
    rankings.serves,
    rankings.combined_score,
    rankings.prob_feasible,
    rankings.p05,
    rankings.p50,
    rankings.p95,
    rankings.unit,
    rankings.recommended_hardware,
    rankings.reason
from {{ ref('combined_rankings') }} as rankings
inner join {{ ref('configurations') }} as configurations using (config_id)
