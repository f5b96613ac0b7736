select
    build_id,
    metric,
    model_version,
    new_measurements,
    compared,
    configurations,
    outside,
    expected_outside,
    case when not isnan(median_ratio) then median_ratio end as median_ratio,
    p_value,
    drifted,
    refitted,
    reason
from {{ source('ml', 'drift') }}
