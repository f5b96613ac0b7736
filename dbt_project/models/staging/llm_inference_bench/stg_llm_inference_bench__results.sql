{#-
    Throughput and latency tables (Plots_All_results, Fig_5, Fig_16).
    llama.cpp: 'Batch Size' is the size of its prompt-processing batches, not a number of sequences:
    latency falls while it grows and throughput is always two lengths over latency. Its numbers stay
    as published, under a unit of their own, so that they are never compared with batch totals.
-#}
with source as (

    select * from {{ source('raw', 'llm_inference_bench') }}
    where map_contains(payload, 'Input Output Length')

),

renamed as (

    select
        -- ids
        'llm_inference_bench' as source,
        file,
        line,
        row_hash,
        null::varchar as run_id,

        -- workload
        {{ text('Model') }} as model_name,
        'text_generation' as model_type,
        'inference' as task,
        {{ count('Batch Size') }} as batch_size,
        {{ count('Input Output Length') }} as input_length,
        {{ count('Input Output Length') }} as output_length,
        null::bigint as image_size,
        1::bigint as concurrency,
        null::varchar as precision,
        case
            when {{ text('Framework') }} = 'llama.cpp' and {{ number('Batch Size') }} > 1
                then 'tokens/s/sequence'
            else 'tokens/s'
        end as throughput_unit,

        -- platform
        {{ text('Hardware') }} as hardware,
        {{ count('Num of Hardware') }} as device_count,
        {{ text('Framework') }} as framework,
        null::varchar as framework_version,
        -- tensor parallelism is the default of the other tables, and moot on one device
        concat_ws(' ', case
            when {{ number('Num of Hardware') }} = 1
                or coalesce({{ text('Parallelism Type') }}, 'TP') in ('TP', 'Tensor Parallelism') then null
            when {{ text('Parallelism Type') }} in ('PP', 'Pipeline Parallelism') then 'parallelism=pipeline'
            when {{ text('Parallelism Type') }} = 'EP' then 'parallelism=expert'
            when {{ text('Parallelism Type') }} ilike '%EP%' then 'parallelism=tensor+expert'
            else 'parallelism=tensor+pipeline'
        end,
        -- the same chip under an earlier name, with a software stack that is up to ten times as fast or slow
        case when {{ text('Hardware') }} = 'Intel PVC GPU' then 'listed=pvc' end) as options,

        -- result
        'ok' as status,
        {{ metrics({
            'throughput': number('Throughput'),
            'latency_ms': '1000 * ' ~ number('Latency'),
            'power_w': number('avg_power') ~ ' / 1000',
        }) }} as metrics,
        null::varchar as notes,

        -- timestamps
        null::timestamptz as measured_at,

        {{ unreadable(
            numbers=['Latency', 'Throughput', 'avg_power'],
            counts=['Num of Hardware', 'Input Output Length', 'Batch Size'],
        ) }} as problems
    from source

)

select * from renamed
