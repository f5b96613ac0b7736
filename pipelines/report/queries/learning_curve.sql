select comparable_group, policy, tests, 100 * regret as regret, median_ape
from analytics.learning_curve
where metric = $metric
order by comparable_group, policy, tests
