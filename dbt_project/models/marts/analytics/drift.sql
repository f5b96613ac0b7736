select
    build_id,
    metric,
    model_version,
    new_measurements,
    compared,
    configurations,
    outside,
    expected_outside,
    median_ratio,
    p_value,
    drifted,
    refitted,
    reason
from {{ source('ml', 'drift') }}
