{#-
    Workloads on the platforms that may run them, inside a comparable group: the one place where it is worked
    out, for candidates and for workloads that are asked about later (the latter through the macro
    `features.options_of` that features.candidate_features leaves in the published database).

    A platform may do what its framework was seen to do on that kind of device: a precision, batches. Left
    out are models that a platform was seen to refuse, and experts in parallel for a model without experts.
    `fits_in_memory` is false also for what is larger than the most that fitted.

    `workloads` has the columns of a workload, comparable_group included; `besides` whole configurations.
-#}
{% macro possible_options(workloads, besides=none) %}
with runs as (

    select * from {{ ref('int_runs__judged') }}
    where verdict = 'accepted'

),

platforms as (

    select
        comparable_group, hardware, hardware_kind, device_count, framework, options,
        max_by(framework_version, (framework_version_number, framework_version))
            filter (where framework_version_number is not null) as framework_version,
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
    from {{ workloads }} as workloads
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
    {%- if besides %}
    union all by name
    select * from {{ besides }}
    {%- endif %}

),

described as (

    {{ configuration_features('wanted') }}

)

select
    * replace (
        fits_in_memory and not exists (
            from memory_limits as limits
            where (limits.model_name, limits.task, limits.precision)
                    = (described.model_name, described.task, described.precision)
                and (limits.hardware, limits.device_count, limits.framework, limits.options)
                    = (described.hardware, described.device_count, described.framework, described.options)
                and limits.most_sequences < described.batch_size * described.concurrency
                and limits.tokens <= coalesce(described.input_length, 0) + coalesce(described.output_length, 0)
                and limits.pixels <= coalesce(described.image_size, 0)
        ) as fits_in_memory
    )
from described
where (options not like '%expert%' or active_parameters_million < parameters_million)
    and (model_name, task, precision, hardware, device_count, framework, options)
        not in (from never_ran)
{% endmacro %}

{#- Leaves possible_options in the database, for workloads that come later. -#}
{% macro create_options_of() -%}
    create or replace macro features.options_of(asked) as table (
        {{ possible_options("query_table(asked)") }}
    )
{%- endmacro %}
