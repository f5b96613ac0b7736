-- After how many tests do recommendations lose one percent or less, and stay there? (after benchmart backtest)
-- (a fixed goal; the command itself says what is saved until as good as random selection at its end)
select
    metric,
    comparable_group,
    policy,
    min(tests) filter (tests > last_above) as tests,
from (
    select *, coalesce(max(tests) filter (regret > 0.01) over policies, 0) as last_above
    from learning_curve
    window policies as (partition by metric, comparable_group, policy)
)
group by all
order by metric, comparable_group, tests nulls last;
