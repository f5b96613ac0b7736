select
    (select count(*) from intermediate.int_deployments) as deployments,
    count(distinct (file, line)) filter (kind = 'deployment' and note is not null) as unknown,
    sum(money_per_hour_p50) filter (kind = 'deployment' and loss_percent_p50 > 0) as money_per_hour,
    count(*) filter (kind = 'candidate' and objective = $objective) as candidates_elsewhere,
from analytics.hardware_mismatches
