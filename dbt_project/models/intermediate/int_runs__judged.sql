{#-
    Every row gets one verdict. Rejections name their first broken rule. A row is a duplicate when
    another accepted row of the same source and configuration states all of its numbers: published
    figures repeat tables and add a column. Repeats that differ are kept: they are the noise estimate.
-#}
with runs as (

    select * from {{ ref('int_runs__described') }}

),

ruled as (

    select
        *,
        case
            when len(problems) > 0 then ['unreadable', array_to_string(problems, '; ')]
            when model_name is null then ['missing_required', 'model_name is empty']
            when hardware is null then ['missing_required', 'hardware is empty']
            when batch_size is null then ['missing_required', 'batch_size is empty']
            when batch_size < 1 then ['out_of_range', 'batch_size must be at least 1, got ' || batch_size]
            when device_count < 1 then ['out_of_range', 'device_count must be at least 1, got ' || device_count]
            when concurrency < 1 then ['out_of_range', 'concurrency must be at least 1, got ' || concurrency]
            when least(input_length, image_size) < 1 or output_length < 0
                then ['out_of_range', 'lengths and sizes must be positive']
            when status not in ('ok', 'oom', 'error')
                then ['unknown_status', 'status must be ok, oom or error, got ' || status]
            when status = 'ok' and cardinality(metrics) = 0 then ['no_metric', 'no metric has a value']
            when status = 'ok' and len(list_filter(map_values(metrics), lambda v: not isfinite(v) or v <= 0)) > 0
                then ['out_of_range', 'metrics must be positive and finite, got ' || cast(metrics as varchar)]
            when status != 'ok' then null
            when metrics['throughput'] > {{ var('roofline_tolerance') }} * bound_throughput
                then ['beats_roofline', printf('throughput %.4g is %.1f times what the hardware can do',
                    metrics['throughput'], metrics['throughput'] / bound_throughput)]
            when metrics['latency_ms'] * {{ var('roofline_tolerance') }} < bound_latency_ms
                then ['beats_roofline', printf('latency of %.4g ms is %.1f times shorter than the hardware can do',
                    metrics['latency_ms'], bound_latency_ms / metrics['latency_ms'])]
            when metrics['ttft_ms'] * {{ var('roofline_tolerance') }} < bound_ttft_ms
                then ['beats_roofline', printf('time to first token of %.4g ms is %.1f times shorter than the hardware can do',
                    metrics['ttft_ms'], bound_ttft_ms / metrics['ttft_ms'])]
            when metrics['itl_ms'] * {{ var('roofline_tolerance') }} < bound_itl_ms
                then ['beats_roofline', printf('time between tokens of %.4g ms is %.1f times shorter than the hardware can do',
                    metrics['itl_ms'], bound_itl_ms / metrics['itl_ms'])]
        end as broken
    from runs

),

contained as (

    select distinct ours.measurement_id
    from ruled as ours
    inner join ruled as theirs
        on ours.source = theirs.source
        and ours.config_id = theirs.config_id
        and ours.framework_version is not distinct from theirs.framework_version
        and ours.status = theirs.status
        and ours.measurement_id != theirs.measurement_id
        and list_has_all(map_entries(theirs.metrics), map_entries(ours.metrics))
    where ours.broken is null
        and theirs.broken is null
        and coalesce(ours.run_id = theirs.run_id, true)
        and (
            cardinality(theirs.metrics) > cardinality(ours.metrics)
            or (theirs.file, theirs.line) < (ours.file, ours.line)
        )

)

select
    ruled.* exclude (broken, problems),
    case
        when broken is not null then 'rejected'
        when contained.measurement_id is not null then 'duplicate'
        else 'accepted'
    end as verdict,
    broken[1] as rule,
    broken[2] as reason
from ruled
left join contained using (measurement_id)
