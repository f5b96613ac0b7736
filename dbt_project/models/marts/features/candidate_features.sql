{#-
    Known and deployed workloads on the platforms that may run them, minus what was measured or failed and what
    does not fit in memory. candidates.csv joins them.
-#}
{%- set workload = 'model_name, model_type, task, throughput_unit, precision, batch_size, input_length, output_length,'
    ~ ' image_size, concurrency' -%}
{{ config(materialized='table_in_parts', post_hook="{{ create_options_of() }}") }}

with workloads as (

    select comparable_group, {{ workload }}, null::double as cost_minutes,
    from {{ ref('int_runs__judged') }}
    where verdict = 'accepted' and status = 'ok' and {{ in_this_part('workload_id') }}
    union
    select comparable_group, {{ workload }}, null::double as cost_minutes,
    from {{ ref('int_deployments') }}
    where {{ in_this_part('workload_id') }}

),

besides as (

    select * from {{ ref('stg_benchmart__candidates') }}
    union all by name
    select {{ workload }}, hardware, device_count, framework, framework_version, options,
    from {{ ref('int_deployments') }}
    where {{ in_this_part('workload_id') }}

),

possible as (

    {{ possible_options('workloads', besides='besides') }}

)

select *
from possible
where fits_in_memory and {{ in_this_part('workload_id') }}
    and config_id not in (select config_id from {{ ref('int_runs__judged') }} where verdict = 'accepted')
qualify row_number() over (
    partition by config_id
    order by cost_minutes nulls last, framework_version_number desc nulls last, framework_version
) = 1
order by workload_id, config_id
