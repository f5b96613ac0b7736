-- What changed since the last build?
select workload, objective, previous_platform, platform, previous_prob_best, prob_best, regret_avoided
from recommendation_changes
where build_id = (select max(build_id) from builds)
order by regret_avoided desc nulls last;
