{#-
    Known workloads on known platforms, inside a comparable group, minus what was measured or failed.
    A platform may do what its framework was seen to do on that kind of device: a precision, batches.
    Left out is what does not fit in memory, a model that a platform was seen to refuse, whatever is
    larger than the most that fitted, and experts in parallel for a model without experts.
    candidates.csv joins them.
-#}
with runs as (

    select * from {{ ref('int_runs__judged') }}
    where verdict = 'accepted'

),

workloads as (

    select distinct
        comparable_group, model_name, model_type, task, throughput_unit, precision, batch_size,
        input_length, output_length, image_size, concurrency,
    from runs
    where status = 'ok'

),

platforms as (

    select
        comparable_group, hardware, hardware_kind, device_count, framework, options,
        max_by(framework_version, framework_version_number) as framework_version,
    from runs
    where status = 'ok'
    group by all

),

abilities as (

    select comparable_group, hardware_kind, framework, precision, coalesce(max(batch_size) > 1, false) as batches
    from runs
    where status = 'ok'
    group by all

),

never_ran as (

    select model_name, task, precision, hardware, device_count, framework, options
    from runs
    group by all
    having count(*) filter (where status = 'ok') = 0 and count(*) filter (where status = 'error') > 0

),

memory_limits as (

    select
        model_name, task, precision, hardware, device_count, framework, options,
        batch_size * concurrency - case status when 'oom' then 1 else 0 end as most_sequences,
        coalesce(input_length, 0) + coalesce(output_length, 0) as tokens,
        coalesce(image_size, 0) as pixels,
    from runs
    where status = 'oom' or failed_batch_size is not null

),

crossed as (

    select
        workloads.*,
        platforms.* exclude (comparable_group, hardware_kind),
        null::double as cost_minutes,
    from workloads
    inner join platforms using (comparable_group)
    inner join abilities
        on workloads.comparable_group = abilities.comparable_group
        and workloads.precision = abilities.precision
        and platforms.hardware_kind is not distinct from abilities.hardware_kind
        and platforms.framework = abilities.framework
        and (abilities.batches or coalesce(workloads.batch_size, 1) = 1)

),

wanted as (

    select * exclude (comparable_group) from crossed
    union all by name
    select * from {{ ref('stg_benchmart__candidates') }}

),

described as (

    {{ configuration_features('wanted') }}

)

select *
from described
where fits_in_memory
    and (options not like '%expert%' or active_parameters_million < parameters_million)
    and config_id not in (select config_id from runs)
    and (model_name, task, precision, hardware, device_count, framework, options)
        not in (from never_ran)
    and not exists (
        from memory_limits as limits
        where (limits.model_name, limits.task, limits.precision)
                = (described.model_name, described.task, described.precision)
            and (limits.hardware, limits.device_count, limits.framework, limits.options)
                = (described.hardware, described.device_count, described.framework, described.options)
            and limits.most_sequences < described.batch_size * described.concurrency
            and limits.tokens <= coalesce(described.input_length, 0) + coalesce(described.output_length, 0)
            and limits.pixels <= coalesce(described.image_size, 0)
    )
qualify row_number() over (partition by config_id order by cost_minutes nulls last) = 1
order by config_id
