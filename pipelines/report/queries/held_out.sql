-- so many of every metric, chosen by a hash
select
    metric,
    unit,
    hardware,
    p50,
    actual,
    covered,
    count(*) over of_metric as held_out,
    100 * avg(cast(covered as integer)) over of_metric as covered_percent,
from analytics.held_out_predictions
window of_metric as (partition by metric)
qualify row_number() over (partition by metric order by hash(measurement_id)) <= $points
order by metric, measurement_id
