select
    source,
    comparable_group,
    metric,
    derived_from,
    rows_compared,
    share_equal
from {{ ref('int_metrics__derived') }}
