-- Which measurements are far from what the model says of their configuration?
select configuration, metric, measured_value, p05, p50, p95, unit, measured_value / p50 as ratio
from predictions
where measured_value not between p05 and p95
order by abs(ln(ratio)) desc
limit 20;
