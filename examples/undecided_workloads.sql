-- For which workloads is the best hardware still open, and which tests would settle it?
select
    platforms.workload,
    platforms.platform,
    platforms.prob_best,
    platforms.second_platform,
    tests.rank,
    tests.configuration,
from recommended_platforms as platforms
inner join next_tests as tests using (workload_id, objective)
where objective = 'throughput' and platforms.prob_best < 0.8 and tests.serves = 'decision'
order by platforms.prob_best, tests.rank;
