{#- The first version of the leaderboard: one request at a time; GPU and task are in the file name. -#}
with source as (

    select
        *,
        regexp_extract(file, '([A-Za-z0-9]+)_([a-z-]+)_benchmark', ['hardware', 'task']) as name,
        {{ quantity('throughput', 'tok/s', 'tok/s') }} as throughput,
        {{ quantity('latency', 's', 'ms') }} as latency,
        {{ quantity('energy', 'J', 'J') }} as energy
    from {{ source('raw', 'ml_energy_legacy') }}

),

renamed as (

    select
        -- ids
        'ml_energy' as source,
        file,
        line,
        row_hash,

        -- workload
        {{ text('model') }} as model_name,
        'text_generation' as model_type,
        nullif(name.task, '') as task,
        1::bigint as batch_size,
        'output_tokens/s' as throughput_unit,

        -- platform
        nullif(name.hardware, '') as hardware,

        -- result
        'ok' as status,
        {{ metrics({
            'throughput': 'throughput.value',
            'latency_ms': 'latency.value',
            'energy_per_sample_j': 'energy.value',
        }) }} as metrics,

        list_concat(
            {{ unreadable(quantities=['throughput', 'latency', 'energy']) }},
            case when name.hardware = '' then ['the file name does not say which GPU and task'] else [] end
        ) as problems
    from source

)

select * from renamed
