select rank, configuration, serves, p05, p50, p95, unit, combined_score, reason
from analytics.next_tests
where objective = $objective and rank <= $most
order by rank
