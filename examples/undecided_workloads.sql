-- For which workloads is the best hardware still open, and which tests would settle it?
select
    platforms.workload,
    platforms.platform,
    platforms.prob_best,
    platforms.second_platform,
    tests.rank,
    tests.configuration,
from recommended_platforms as platforms
left join next_tests as tests
    on tests.workload_id = platforms.workload_id
    and tests.objective = platforms.objective
    and tests.serves = 'decision'
where platforms.objective = 'throughput' and platforms.prob_best < 0.8
order by platforms.prob_best, tests.rank;
