-- Which platforms does no other beat in throughput, latency and memory at once?
select workload, hardware, framework, round(prob_on_front, 2) as prob_on_front, medians
from pareto_front
where workload like 'vit-tiny fp32 batch 4%'
order by workload, prob_on_front desc;
