select
    metric,
    unit,
    direction,
    description
from {{ ref('int_metrics') }}
