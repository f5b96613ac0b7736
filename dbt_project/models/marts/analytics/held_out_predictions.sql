select
    held_out.metric,
    held_out.measurement_id,
    runs.config_id,
    runs.configuration,
    runs.model_name,
    runs.hardware,
    runs.framework,
    held_out.p05,
    held_out.p50,
    held_out.p95,
    held_out.actual,
    {{ unit_of('definitions.unit', 'runs.throughput_unit') }} as unit,
    held_out.actual / held_out.p50 as ratio,
    held_out.actual between held_out.p05 and held_out.p95 as covered,
from {{ source('ml', 'held_out') }} as held_out
inner join {{ ref('runs') }} as runs using (measurement_id)
left join {{ ref('metric_definitions') }} as definitions using (metric)
