select
    build_id,
    metric,
    model_version,
    new_measurements,
    configurations,
    outside,
    0.1::double * configurations as expected_outside,
    median_ratio,
    p_value,
    drifted,
    refitted,
    reason
from {{ source('ml', 'drift') }}
