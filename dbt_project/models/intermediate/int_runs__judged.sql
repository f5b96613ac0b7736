{#-
    Every row gets one verdict. Rejections name their first broken rule. A row is a duplicate when
    another accepted row of the same source and configuration states all of its numbers: published
    figures repeat tables and add a column. Repeats that differ are kept: they are the noise estimate.
-#}
with runs as (

    select
        *,
        max(metrics['throughput'] / device_count) filter (where status = 'ok') over (
            partition by source, workload_id, hardware, framework, options
            order by device_count
            range between unbounded preceding and 1 preceding
        ) as throughput_per_device_of_fewer
    from {{ ref('int_runs__described') }}

),

ruled as (

    select
        *,
        list_filter(
            [
                {%- for rule, _, reason in quality_rules() %}
                {'rule': '{{ rule }}', 'reason': {{ reason }}},
                {%- endfor %}
            ],
            lambda broken: broken.reason is not null
        )[1] as broken
    from runs

),

-- all that a duplicate has to share; a source may know better than its configuration
candidates as (

    select
        measurement_id,
        md5(concat_ws('|', source, coalesce(repeated_key, config_id), coalesce(framework_version, ''), status)) as compared_key,
        run_id,
        file,
        line,
        metrics
    from ruled
    where broken is null

),

contained as (

    select distinct ours.measurement_id
    from candidates as ours
    inner join candidates as theirs
        on ours.compared_key = theirs.compared_key
        and ours.measurement_id != theirs.measurement_id
        and list_has_all(map_entries(theirs.metrics), map_entries(ours.metrics))
    where coalesce(ours.run_id = theirs.run_id, true)
        and (
            cardinality(theirs.metrics) > cardinality(ours.metrics)
            or (theirs.file, theirs.line) < (ours.file, ours.line)
        )

)

select
    ruled.* exclude (broken, problems, throughput_per_device_of_fewer),
    case
        when broken is not null then 'rejected'
        when contained.measurement_id is not null then 'duplicate'
        else 'accepted'
    end as verdict,
    broken.rule,
    broken.reason
from ruled
left join contained using (measurement_id)
