{#- Fig_21 gives the time to one output token as 'Latency'; Fig_22 adds the end of 1,024 tokens. -#}
with source as (

    select * from {{ source('raw', 'llm_inference_bench') }}
    where not map_contains(payload, 'Input Output Length')

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
        {{ count('Input Length') }} as input_length,
        {{ count('Output Length') }} as output_length,
        null::bigint as image_size,
        1::bigint as concurrency,
        null::varchar as precision,
        'tokens/s' as throughput_unit,

        -- platform
        {{ text('Hardware') }} as hardware,
        {{ count('Num of Hardware') }} as device_count,
        {{ text('Framework') }} as framework,
        null::varchar as framework_version,
        '' as options,

        -- result
        'ok' as status,
        {{ metrics({'ttft_ms': '1000 * coalesce(' ~ number('TTFT Latency') ~ ', ' ~ number('Latency') ~ ')'}) }} as metrics,
        null::varchar as notes,

        -- timestamps
        null::timestamptz as measured_at,

        {{ unreadable(
            numbers=['Latency', 'TTFT Latency'],
            counts=['Num of Hardware', 'Input Length', 'Output Length', 'Batch Size'],
        ) }} as problems
    from source

)

select * from renamed
