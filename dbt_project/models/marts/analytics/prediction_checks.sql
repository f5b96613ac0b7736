{#- Rows of earlier builds stay: what a model said before it knew cannot be worked out again. -#}
select
    checks.build_id,
    checks.metric,
    checks.measurement_id,
    runs.config_id,
    runs.configuration,
    runs.model_name,
    runs.hardware,
    runs.framework,
    checks.model_version,
    checks.p05,
    checks.p50,
    checks.p95,
    checks.actual,
    {{ unit_of('definitions.unit', 'runs.throughput_unit') }} as unit,
    checks.actual / checks.p50 as ratio,
    checks.actual between checks.p05 and checks.p95 as covered,
    checks.in_domain
from {{ source('ml', 'prediction_checks') }} as checks
left join {{ ref('runs') }} as runs using (measurement_id)
left join {{ ref('metric_definitions') }} as definitions using (metric)
