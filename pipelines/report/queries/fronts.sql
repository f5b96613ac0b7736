-- of the workloads with most to choose between
with chosen as (

    select workload_id, count(*) as platforms
    from analytics.pareto_front
    where len(objectives) > 1
    group by all
    having platforms > 1
    order by platforms desc, workload_id
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
from analytics.pareto_front
inner join chosen using (workload_id)
order by workload, prob_on_front desc
