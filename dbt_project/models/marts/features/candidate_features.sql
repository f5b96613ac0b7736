{#-
    Known workloads on the platforms that may run them, minus what was measured or failed and what does not
    fit in memory. candidates.csv joins them.
-#}
{{ config(post_hook="{{ create_options_of() }}") }}

with workloads as (

    select distinct
        comparable_group, model_name, model_type, task, throughput_unit, precision, batch_size,
        input_length, output_length, image_size, concurrency, null::double as cost_minutes,
    from {{ ref('int_runs__judged') }}
    where verdict = 'accepted' and status = 'ok'

),

possible as (

    {{ possible_options('workloads', besides=ref('stg_benchmart__candidates')) }}

)

select *
from possible
where fits_in_memory
    and config_id not in (select config_id from {{ ref('int_runs__judged') }} where verdict = 'accepted')
qualify row_number() over (partition by config_id order by cost_minutes nulls last) = 1
order by config_id
