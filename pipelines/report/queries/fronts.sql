-- the workloads with most to choose between
with fronts as (

    select *, count(*) over (partition by workload_id) as platforms
    from analytics.pareto_front
    where len(objectives) > 1

),

chosen as (

    select workload_id
    from fronts
    group by all
    having max(platforms) > 1
    order by max(platforms) desc, workload_id
    limit 6

)

select
    workload,
    hardware || ' x' || device_count as device,
    concat_ws(' ', framework, nullif(options, '')) as software,
    prob_on_front,
    objectives,
    medians,
    units,
from fronts
inner join chosen using (workload_id)
order by workload, prob_on_front desc
