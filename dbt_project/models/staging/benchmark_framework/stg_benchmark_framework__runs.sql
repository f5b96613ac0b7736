{#- Results of the framework's database, with the names that its other tables give to their keys. -#}
with source as (

    select
        results.*,
        hardware.payload as hardware,
        models.payload as model,
        runs.payload as run
    from {{ source('raw', 'benchmark_framework_results') }} as results
    {%- for table, key in [('hardware', 'hardware_id'), ('models', 'model_id'), ('runs', 'run_id')] %}
    left join (
        -- of a key that is there twice, the last row counts
        select file, payload['{{ key }}'] as key, arg_max(payload, line) as payload
        from {{ source('raw', 'benchmark_framework_' ~ table) }}
        group by all
    ) as {{ table }}
        on results.file = {{ table }}.file and results.payload['{{ key }}'] = {{ table }}.key
    {%- endfor %}

),

known as (

    select list(metric) as metrics from {{ ref('int_metrics') }}

),

extracted as (

    select
        source.*,
        known.metrics as known_metrics,
        try_cast(try_cast(payload['metrics'] as json) as map(varchar, varchar)) as more_metrics
    from source
    cross join known

),

renamed as (

    select
        -- ids
        'benchmark_framework' as source,
        file,
        line,
        row_hash,
        {{ text('result_id') }} as run_id,

        -- workload
        coalesce(cleaned(model['model_name']), {{ text('model_id') }}) as model_name,
        cleaned(model['modality']) as model_type,
        case when lower(run['test_type']) like '%train%' then 'training' else 'inference' end as task,
        {{ count('batch_size') }} as batch_size,
        {{ text('precision') }} as precision,
        'samples/s' as throughput_unit,

        -- platform
        coalesce(cleaned(hardware['device_name']), {{ text('hardware_id') }}) as hardware,
        cleaned(hardware['platform']) as framework,
        cleaned(hardware['platform_version']) as framework_version,
        case when {{ text('test_case') }} is not null then 'case=' || {{ text('test_case') }} else '' end as options,

        -- result
        case when lower(run['success']) = 'false' then 'error' else 'ok' end as status,
        case when lower({{ text('is_simulated') }}) in ('true', '1')
            then coalesce({{ text('simulation_reason') }}, 'no reason stated')
        end as simulated,
        map_concat(
            map_from_entries([
                {'k': metric, 'v': number_of(more_metrics[metric])}
                for metric in known_metrics if number_of(more_metrics[metric]) is not null
            ]),
            {{ metrics({
                'throughput': number('throughput_items_per_second'),
                'latency_ms': number('average_latency_ms'),
                'memory_mb': number('memory_peak_mb'),
            }) }}
        ) as metrics,
        {{ text('iterations') }} || ' iterations' as notes,

        -- timestamps
        try_cast(cleaned(run['completed_at']) as timestamptz) as measured_at,

        {{ unreadable(
            numbers=['throughput_items_per_second', 'average_latency_ms', 'memory_peak_mb'],
            counts=['batch_size'],
        ) }} as problems
    from extracted

)

select * from renamed
