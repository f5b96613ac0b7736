-- What surely needs less than 300 MB, and how fast is it?
select speed.configuration, memory.p95 as memory_mb_p95, speed.p50 as throughput, speed.unit
from predictions as memory
inner join predictions as speed using (config_id)
where memory.metric = 'memory_mb' and speed.metric = 'throughput' and memory.p95 < 300
order by throughput desc
limit 20;
