select
    metric,
    comparable_group,
    policy,
    tests,
    count(*) as seeds,
    avg(rmse) as rmse,
    avg(median_ape) as median_ape,
    avg(regret) as regret,
    stddev_samp(rmse) as rmse_deviation,
    stddev_samp(median_ape) as median_ape_deviation,
    stddev_samp(regret) as regret_deviation
from {{ source('ml', 'learning_curve') }}
group by metric, comparable_group, policy, tests
order by metric, comparable_group, policy, tests
