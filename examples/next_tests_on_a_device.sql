-- Which ten tests next week on the two-thread machine?
select rank, configuration, round(p50, 1) as expected, unit, reason
from next_tests
where objective = 'throughput' and hardware = 'amd-epyc-genoa-2-threads'
order by rank
limit 10;
