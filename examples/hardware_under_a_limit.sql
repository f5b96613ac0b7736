-- Which hardware answers within 50 ms (19 times in 20) at the lowest cost?
select
    costs.workload,
    costs.hardware,
    costs.framework,
    latency.p95 as latency_p95,
    costs.price_per_hour,
    costs.cost_per_million,
from hardware_recommendations as costs
inner join predictions as latency using (config_id)
where costs.objective = 'throughput' and latency.metric = 'latency_ms' and latency.p95 <= 50 and latency.in_domain
-- where no prices are known, the fastest
qualify row_number() over (
    partition by costs.workload_id order by costs.cost_per_million nulls last, costs.price_per_hour, latency.p95
) = 1
order by costs.workload;
