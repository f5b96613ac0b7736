-- Where do we lose more than 20 % by staying?
select configuration, objective, recommended_configuration, loss_percent_p05, loss_percent_p50, money_per_hour_p50
from deployments_to_move
where loss_percent_p50 > 20
order by loss_percent_p50 desc;
