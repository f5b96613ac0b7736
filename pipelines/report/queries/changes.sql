select workload, objective, previous_platform, platform, prob_best, 100 * regret_avoided as regret_avoided_percent
from analytics.recommendation_changes
where build_id = (select max(build_id) from analytics.builds)
order by regret_avoided desc nulls last
limit $most
