-- How many tests does each policy need until its recommendations lose one percent? (after benchmart backtest)
select metric, comparable_group, policy, min(tests) filter (where regret <= 0.01) as tests
from learning_curve
group by all
order by metric, comparable_group, tests nulls last;
