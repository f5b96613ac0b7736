-- What does a larger batch of ResNet-18 bring?
with measured as (

    select hardware, device_count, framework, precision, options, image_size, batch_size, median(value) as throughput
    from measurements
    where metric = 'throughput' and model_name = 'resnet-18' and task = 'inference' and concurrency = 1
    group by all

)

select
    *,
    round(throughput / first_value(throughput) over kind, 2) as gain,
from measured
window kind as (partition by hardware, device_count, framework, precision, options, image_size order by batch_size)
order by hardware, framework, precision, image_size, batch_size;
