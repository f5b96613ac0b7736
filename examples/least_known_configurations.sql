-- What do we know least about?
select configuration, p05, p50, p95, unit, p95 / p05 as factor, in_domain, domain_reason
from predictions
where metric = 'throughput' and measured_value is null
order by factor desc
limit 20;
