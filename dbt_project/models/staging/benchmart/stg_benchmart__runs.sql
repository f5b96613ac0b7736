with source as (

    select * from {{ source('raw', 'benchmart_runs') }}

),

known as (

    select list(metric) as metrics from {{ ref('int_metrics') }}

),

renamed as (

    select
        -- ids
        'benchmart' as source,
        file,
        line,
        row_hash,
        {{ text('run_id') }} as run_id,

        {{ native_configuration() }},

        -- result
        coalesce(lower({{ text('status') }}), 'ok') as status,
        map_from_entries([
            {'k': metric, 'v': try_cast({{ filled('payload[metric]') }} as double)}
            for metric in known.metrics
            if try_cast({{ filled('payload[metric]') }} as double) is not null
        ]) as metrics,
        {{ text('notes') }} as notes,

        -- timestamps
        try_cast({{ text('measured_at') }} as timestamptz) as measured_at,

        list_concat(
            {{ unreadable(counts=['batch_size', 'device_count', 'input_length', 'output_length', 'image_size', 'concurrency']) }},
            [
                metric || ' is not a number: ' || trim(payload[metric])
                for metric in known.metrics
                if {{ filled('payload[metric]') }} is not null
                    and try_cast({{ filled('payload[metric]') }} as double) is null
            ]
        ) as problems
    from source
    cross join known

)

select * from renamed
