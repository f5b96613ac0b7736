select *
from {{ ref('predictions') }}
where not (p05 <= p10 and p10 <= p50 and p50 <= p90 and p90 <= p95)
