{#-
    Known workloads on known platforms, inside a comparable group, minus what was measured or failed.
    A platform may do a precision that its framework was seen to do on that kind of device; what does
    not fit in memory is left out. candidates.csv joins them.
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

precisions as (

    select distinct comparable_group, hardware_kind, framework, precision
    from runs
    where status = 'ok'

),

crossed as (

    select
        workloads.*,
        platforms.* exclude (comparable_group, hardware_kind),
        null::double as cost_minutes,
    from workloads
    inner join platforms using (comparable_group)
    inner join precisions
        on workloads.comparable_group = precisions.comparable_group
        and workloads.precision = precisions.precision
        and platforms.hardware_kind is not distinct from precisions.hardware_kind
        and platforms.framework = precisions.framework

),

wanted as (

    select * exclude (comparable_group) from crossed
    union all by name
    select * from {{ ref('stg_benchmark__candidates') }}

),

described as (

    {{ configuration_features('wanted') }}

)

select *
from described
where fits_in_memory
    and config_id not in (select config_id from runs)
qualify row_number() over (partition by config_id order by cost_minutes nulls last) = 1
order by config_id
