with source as (

    select * from {{ source('raw', 'benchmart_runs') }}

),

known as (

    select list({'metric': metric, 'unit': unit} order by metric) as metrics from {{ ref('int_metrics') }}

),

measured as (

    select
        source.*,
        [
            {
                'metric': known.metric,
                'text': cleaned(payload[known.metric]),
                'value': coalesce(
                    number_of(payload[known.metric]),
                    -- a cell may state its unit
                    case known.unit
                        {%- for unit in ['ms', 'MB', 'W', 'J'] %}
                        when '{{ unit }}' then {{ in_own_unit('cleaned(payload[known.metric])', unit) }}
                        {%- endfor %}
                    end
                ),
            }
            for known in known.metrics
            if cleaned(payload[known.metric]) is not null
        ] as cells
    from source
    cross join known

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
        map_from_entries([{'k': cell.metric, 'v': cell.value} for cell in cells if cell.value is not null]) as metrics,
        {{ text('notes') }} as notes,

        -- timestamps
        try_cast({{ text('measured_at') }} as timestamptz) as measured_at,

        list_concat(
            {{ unreadable(counts=['batch_size', 'device_count', 'input_length', 'output_length', 'image_size', 'concurrency']) }},
            [cell.metric || ' is not a number: ' || cell.text for cell in cells if cell.value is null]
        ) as problems
    from measured

)

select * from renamed
