{#-
    A run at a largest batch size. Units are in the keys. What was asked of the model (chat, code,
    image-to-video) is only in the path. The mean number of generated tokens is a result of the run,
    not a part of the workload.
-#}
with source as (

    select
        *,
        regexp_extract(file, '((?:m?llm_text_generation)|diffusion)/([^/]+)/', ['kind', 'task']) as place,
        {{ quantity('Token tput', 'tok/s', 'tok/s') }} as token_throughput,
        {{ quantity('Batch latency', 's', 'ms') }} as batch_latency,
        {{ quantity('Avg TPOT', 's', 'ms') }} as time_per_token,
        {{ quantity('Energy/req', 'J', 'J') }} as energy_per_request,
        {{ quantity('Energy/image', 'J', 'J') }} as energy_per_image,
        {{ quantity('Energy/video', 'J', 'J') }} as energy_per_video
    from {{ source('raw', 'ml_energy') }}

),

renamed as (

    select
        -- ids
        'ml_energy' as source,
        file,
        line,
        row_hash,

        -- workload
        {{ text('Model') }} as model_name,
        case
            when place.kind = 'mllm_text_generation' then 'multimodal'
            when place.kind = 'llm_text_generation' then 'text_generation'
            when energy_per_image is not null then 'image_generation'
            when energy_per_video is not null then 'video_generation'
        end as model_type,
        concat_ws(', ', coalesce(nullif(place.task, ''), 'serving'), {{ text('Denoising steps') }} || ' steps',
            {{ text('Frames') }} || ' frames') as task,
        coalesce({{ count('Max BS (reqs)') }}, {{ count('Batch size') }}) as batch_size,
        case when token_throughput is not null then 'output_tokens/s' else 'samples/s' end as throughput_unit,

        -- platform
        {{ text('GPU') }} as hardware,
        coalesce({{ count('TP') }}, 1) * coalesce({{ count('PP') }}, 1) as device_count,
        case when {{ count('PP') }} > 1 then 'parallelism=tensor' || {{ count('TP') }} || '+pipeline' || {{ count('PP') }} else '' end as options,

        -- result
        'ok' as status,
        {{ metrics({
            'throughput': 'token_throughput.value',
            'latency_ms': 'batch_latency.value',
            'itl_ms': 'time_per_token.value',
            'energy_per_sample_j': 'coalesce(energy_per_request.value, energy_per_image.value, energy_per_video.value)',
        }) }} as metrics,

        {{ unreadable(
            counts=['Max BS (reqs)', 'Batch size', 'TP', 'PP'],
            quantities=['token_throughput', 'batch_latency', 'time_per_token', 'energy_per_request', 'energy_per_image', 'energy_per_video'],
        ) }} as problems
    from source

)

select * from renamed
