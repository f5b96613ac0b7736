select configuration, objective, recommended_configuration, loss_percent_p05, loss_percent_p50, loss_percent_p95, money_per_hour_p50
from analytics.deployments_to_move
order by money_per_hour_p50 desc nulls last, loss_percent_p50 desc
limit $most
