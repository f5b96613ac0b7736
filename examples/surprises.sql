-- Which measurements are far from what models that had not seen them say?
select metric, configuration, actual, p05, p50, p95, unit, round(ratio, 2) as ratio
from held_out_predictions
where not covered
order by abs(ln(held_out_predictions.ratio)) desc
limit 20;
