-- Which hardware is best for MobileNet at batch 4, and how sure is that?
select workload, platform, p05, p50, p95, unit, prob_best, second_platform,
    round(second_loss_percent, 1) as second_loss_percent
from recommended_platforms
where objective = 'throughput' and workload like 'mobilenet-v2 % batch 4 %'
order by workload;
