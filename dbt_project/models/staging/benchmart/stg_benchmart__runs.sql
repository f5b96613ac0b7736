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

        -- workload
        {{ text('model_name') }} as model_name,
        {{ text('model_type') }} as model_type,
        coalesce({{ text('task') }}, 'inference') as task,
        {{ count('batch_size') }} as batch_size,
        {{ count('input_length') }} as input_length,
        {{ count('output_length') }} as output_length,
        {{ count('image_size') }} as image_size,
        coalesce({{ count('concurrency') }}, 1) as concurrency,
        {{ text('precision') }} as precision,
        {{ text('throughput_unit') }} as throughput_unit,

        -- platform
        {{ text('hardware') }} as hardware,
        coalesce({{ count('device_count') }}, 1) as device_count,
        {{ text('framework') }} as framework,
        {{ text('framework_version') }} as framework_version,
        coalesce({{ text('options') }}, '') as options,

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
