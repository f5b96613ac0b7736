select
    scored.objective,
    scored.batch_order as rank,
    scored.config_id,
    configurations.configuration,
    scored.expected_information_gain,
    scored.uncertainty,
    scored.diversity,
    scored.recommended_hardware,
    scored.hardware_match,
    scored.hardware_score,
    scored.hardware_optimization_factor,
    scored.combined_score,
    scored.prob_feasible,
    scored.serves,
    scored.reason,
    predicted.p05,
    predicted.p50,
    predicted.p95,
    {{ unit_of('definitions.unit', 'configurations.throughput_unit') }} as unit
from {{ source('ml', 'scored_candidates') }} as scored
inner join {{ ref('configurations') }} as configurations using (config_id)
inner join {{ source('ml', 'predictions') }} as predicted using (config_id, metric)
left join {{ ref('metric_definitions') }} as definitions using (metric)
where scored.batch_order is not null
