-- How much faster is ONNX Runtime than PyTorch, everything else alike?
with pairs as (

    select
        model_name,
        hardware,
        precision,
        median(value) filter (framework = 'onnxruntime')
            / median(value) filter (framework = 'pytorch') as speedup,
    from measurements
    where metric = 'throughput'
    group by
        comparable_group, model_name, hardware, device_count, precision, options, concurrency,
        batch_size, input_length, output_length, image_size

)

select
    model_name,
    hardware,
    precision,
    count(speedup) as pairs,
    round(median(speedup), 2) as median_speedup,
    round(min(speedup), 2) as least,
    round(max(speedup), 2) as most,
from pairs
group by all
having pairs > 0
order by median_speedup desc;
