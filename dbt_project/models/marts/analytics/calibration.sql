select
    metric,
    group_kind,
    group_name,
    nominal,
    coverage,
    n
from {{ source('ml', 'calibration') }}
