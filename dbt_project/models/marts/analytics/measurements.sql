with runs as (

    select
        *,
        unnest(map_entries(metrics)) as entry
    from {{ ref('runs') }}
    where status = 'ok'

)

select
    measurement_id,
    runs.source,
    file,
    line,
    config_id,
    configuration,
    runs.comparable_group,
    model_name,
    model_type,
    task,
    hardware,
    device_count,
    framework,
    framework_version,
    precision,
    batch_size,
    input_length,
    output_length,
    image_size,
    concurrency,
    options,
    entry.key as metric,
    entry.value as value,
    {{ unit_of('definitions.unit', 'runs.throughput_unit') }} as unit,
    derived.derived_from,
    measured_at
from runs
left join {{ ref('int_metrics__derived') }} as derived
    on runs.source = derived.source
    and runs.comparable_group = derived.comparable_group
    and runs.entry.key = derived.metric
left join {{ ref('metric_definitions') }} as definitions
    on runs.entry.key = definitions.metric
