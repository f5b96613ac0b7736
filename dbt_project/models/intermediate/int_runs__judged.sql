{#-
    Every row gets one verdict. Rejections name their first broken rule. A row is a duplicate when
    another accepted row of the same source and configuration states all of its numbers: published
    figures repeat tables and add a column. Repeats that differ are kept: they are the noise estimate.

    Of many millions of rows only narrow columns are kept in memory: whole rows stream.
-#}
with scaling as (

    select
        source,
        workload_id,
        hardware,
        framework,
        options,
        device_count,
        max(max(metrics['throughput'] / device_count)
            filter (where status = 'ok' and metrics['throughput'] > 0 and device_count > 0)) over (
            partition by source, workload_id, hardware, framework, options
            order by device_count
            rows between unbounded preceding and 1 preceding
        ) as throughput_per_device_of_fewer
    from {{ ref('int_runs__described') }}
    group by source, workload_id, hardware, framework, options, device_count
    qualify throughput_per_device_of_fewer is not null

),

ruled as not materialized (

    select
        described.*,
        list_filter(
            [
                {%- for rule, _, reason in quality_rules() %}
                {'rule': '{{ rule }}', 'reason': {{ reason }}},
                {%- endfor %}
            ],
            lambda broken: broken.reason is not null
        )[1] as broken
    from {{ ref('int_runs__described') }} as described
    left join scaling using (source, workload_id, hardware, framework, options, device_count)

),

-- all that a duplicate has to share; a source may know better than its configuration
compared as (

    select
        measurement_id,
        md5_number(concat_ws('|', source, coalesce(repeated_key, config_id), coalesce(framework_version, ''), status)) as compared_key,
        run_id,
        file,
        line,
        list_sort(map_entries(metrics)) as numbers
    from ruled
    where broken is null

),

stated_twice as (

    select measurement_id
    from compared
    where (compared_key, numbers) in (
        select (compared_key, numbers) from compared group by compared_key, numbers having count(*) > 1
    )
    window earlier as (
        partition by compared_key, numbers
        order by file, line, measurement_id
        rows between unbounded preceding and 1 preceding
    )
    -- of rows that name their run only those of one run are the same
    qualify row_number() over (partition by compared_key, numbers, run_id order by file, line, measurement_id) > 1
        or count(*) filter (where run_id is null) over earlier > 0
        or run_id is null and count(*) over earlier > 0

),

-- rows of which others state more or fewer numbers: looked up by their rarest number, for all state some
unequal as (

    select *, unnest(list_prepend({'key': '', 'value': 0::double}, numbers)) as number
    from (
        select distinct compared_key, run_id, numbers
        from compared
        where compared_key in (
            select compared_key from compared group by compared_key having min(len(numbers)) < max(len(numbers))
        )
    )

),

rarest as (

    select compared_key, run_id, numbers, number
    from (select *, count(*) over (partition by compared_key, number) as rows_with_it from unequal)
    qualify row_number() over (partition by compared_key, run_id, numbers order by rows_with_it, number) = 1

),

stated_in_more as (

    select distinct ours.compared_key, ours.run_id, ours.numbers
    from rarest as ours
    inner join unequal as theirs
        on ours.compared_key = theirs.compared_key
        and ours.number = theirs.number
        and len(ours.numbers) < len(theirs.numbers)
        and list_has_all(theirs.numbers, ours.numbers)
    where coalesce(ours.run_id = theirs.run_id, true)

),

contained as (

    select measurement_id from stated_twice
    union
    select compared.measurement_id
    from compared
    inner join stated_in_more as more
        on compared.compared_key = more.compared_key
        and compared.numbers = more.numbers
        and compared.run_id is not distinct from more.run_id

)

select
    ruled.* exclude (broken, problems),
    case
        when broken is not null then 'rejected'
        when measurement_id in (from contained) then 'duplicate'
        else 'accepted'
    end as verdict,
    broken.rule,
    broken.reason
from ruled
