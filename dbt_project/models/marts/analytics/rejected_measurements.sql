select
    measurement_id,
    source,
    file,
    line,
    rule,
    reason,
    concat_ws(' on ', workload, platform) as configuration,
    model_name,
    hardware,
    framework,
    metrics
from {{ ref('int_runs__judged') }}
where verdict = 'rejected'
