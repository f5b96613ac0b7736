{#-
    One runtime of one component of a model on one device. Older releases leave units out:
    inference_time is in microseconds, memory in bytes; newer ones name them, also in the middle of a
    path (estimated_peak_memory_range_mb.max). Throughput is inferences a second, but of the part of a
    language model that reads prompts it is tokens: 1,024 times as many. Half of the peak memory figures
    are below the size of the weights, so they are not the memory that other sources mean.
    A proxy stands in for a device that it is not: it stays a device of its own.
-#}
with spelled as (

    select
        * exclude (payload),
        map_from_entries(list_transform(
            map_entries(payload),
            lambda cell: {
                'k': regexp_replace(cell.key, '(_range)_([a-z]+)\.(min|max)$', '\1.\3_\2'),
                'v': cell.value,
            }
        )) as payload,
        -- the folder of a perf.yaml is the model
        coalesce(nullif(regexp_extract(file, '([^/]+)/perf\.ya?ml$', 1), ''), parse_filename(file, true)) as folder
    from {{ source('raw', 'qualcomm_ai_hub') }}

),

source as (

    select
        *,
        {{ quantity('inference_time', 'us', 'ms') }} as inference_time,
        {{ quantity('llm_metrics.time_to_first_token_range.min', 'us', 'ms') }} as time_to_first_token,
        {{ quantity('estimated_peak_memory_range.max', 'bytes', 'MB') }} as peak_memory
    from spelled

),

renamed as (

    select
        -- ids
        'qualcomm_ai_hub' as source,
        file,
        line,
        row_hash,
        {{ text('job_id') }} as run_id,

        -- workload
        folder || case when {{ count('components') }} > 1 then '/' || {{ text('model.name') }} else '' end as model_name,
        case
            when {{ text('llm_metrics.tokens_per_second') }} is not null then 'text_generation'
            when {{ text('model.name') }} similar to '.*(PromptProcessor|TokenGenerator).*' then 'text_generation'
            when folder similar to '.*(whisper|wavlm).*' then 'audio'
            when folder similar to '.*(clip|trocr).*' then 'multimodal'
            when folder similar to '(stable_diffusion|controlnet|riffusion).*' then 'image_generation'
            else 'vision'
        end as model_type,
        1::bigint as batch_size,
        {{ text('precision') }} as precision,
        case
            when {{ text('llm_metrics.tokens_per_second') }} is not null then 'output_tokens/s'
            when {{ text('model.name') }} like '%PromptProcessor%' then 'prompt_tokens/s'
            else 'inferences/s'
        end as throughput_unit,

        -- platform
        coalesce({{ text('reference_device_info.chipset') }}, {{ text('reference_device_info.name') }})
            || case
                when {{ text('reference_device_info.name') }} ilike '%(proxy)%'
                    and {{ text('reference_device_info.chipset') }} not ilike '%proxy%' then ' Proxy'
                else ''
            end as hardware,
        coalesce(nullif(regexp_replace({{ text('runtime') }}, '^torchscript_onnx_?', ''), ''), 'onnxruntime') as framework,
        -- the hub runs its newest software: runs of the same month are repeats, those of another are not
        strftime(try_cast({{ text('timestamp') }} as timestamptz), '%Y.%m') as framework_version,
        case when {{ text('primary_compute_unit') }} = 'GPU' then 'unit=gpu' else '' end as options,

        -- result
        case lower(coalesce({{ text('job_status') }}, 'passed'))
            when 'passed' then 'ok' when 'failed' then 'error' else lower({{ text('job_status') }})
        end as status,
        lower({{ text('primary_compute_unit') }}) as ran_on,
        {{ metrics({
            'throughput': 'coalesce(' ~ number('throughput') ~ ', ' ~ number('llm_metrics.tokens_per_second') ~ ')',
            'latency_ms': 'inference_time.value',
            'ttft_ms': 'time_to_first_token.value',
            'profiled_memory_mb': 'peak_memory.value',
        }) }} as metrics,
        concat_ws(', ', {{ text('reference_device_info.name') }},
            {{ text('reference_device_info.os_name') }} || ' ' || {{ text('reference_device_info.os') }}) as notes,

        -- timestamps
        try_cast({{ text('timestamp') }} as timestamptz) as measured_at,

        {{ unreadable(
            numbers=['throughput', 'llm_metrics.tokens_per_second'],
            quantities=['inference_time', 'time_to_first_token', 'peak_memory'],
        ) }} as problems
    from source

)

select * from renamed
