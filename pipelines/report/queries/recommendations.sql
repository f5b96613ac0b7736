select workload, platform, p05, p50, p95, unit, measured, prob_best, second_platform, second_loss_percent
from analytics.recommended_platforms
where objective = $objective
order by prob_best, workload
limit $most
