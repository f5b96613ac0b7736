-- of every workload the best option of each device, beside the recommendation; of many workloads some by a hash
with chosen as (

    select workload_id
    from analytics.hardware_recommendations
    where objective = $objective and rank = 1
    order by hash(workload_id)
    limit $workloads

),

models as (

    select workload_id, any_value(model_type) as model_type, any_value(model_name) as model_name
    from features.configurations
    inner join chosen using (workload_id)
    group by all

),

options as (

    select
        workload_id,
        hardware || ' x' || device_count as device,
        100 * (1 - arg_min(loss_p50, rank)) as share,
        100 * (1 - arg_min(loss_p95, rank)) as low,
        100 * (1 - arg_min(loss_p05, rank)) as high,
    from analytics.hardware_recommendations
    inner join chosen using (workload_id)
    where objective = $objective
    group by all

)

select
    model_type,
    model_name,
    device,
    count(*) as workloads,
    median(share) as share,
    median(low) as low,
    median(high) as high,
from options
inner join models using (workload_id)
group by all
order by model_type, model_name, device
