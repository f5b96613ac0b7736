-- of every workload the best option of each device, beside the recommendation
with options as (

    select
        configurations.model_type,
        configurations.model_name,
        options.hardware || ' x' || options.device_count as device,
        options.workload_id,
        100 * (1 - arg_min(options.loss_p50, options.rank)) as share,
        100 * (1 - arg_min(options.loss_p95, options.rank)) as low,
        100 * (1 - arg_min(options.loss_p05, options.rank)) as high,
    from analytics.hardware_recommendations as options
    inner join features.configurations as configurations using (config_id)
    where options.objective = $objective
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
group by all
order by model_type, model_name, device
