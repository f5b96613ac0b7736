{#-
    A batch that was lowered until it fitted tells of a second run, of the next larger batch, that failed:
    it is described anew, with that batch.
-#}
with newest as (

    select measurement_id
    from {{ ref('int_runs__judged') }}
    where verdict = 'accepted'
    qualify row_number() over (partition by config_id, status order by {{ newest_first() }}) = 1

),

runs as (

    select * from {{ ref('int_runs__judged') }}
    where measurement_id in (from newest)

),

lowered as (

    select distinct
        source, model_name, model_type, task, hardware, device_count, framework, framework_version, precision,
        failed_batch_size as batch_size, input_length, output_length, image_size, concurrency, options, throughput_unit,
    from {{ ref('int_runs__judged') }}
    where verdict = 'accepted' and failed_batch_size is not null

),

lowered_described as (

    {{ configuration_features('lowered') }}

),

larger as (

    select * from lowered_described
    qualify row_number() over (
        partition by config_id order by framework_version_number desc nulls last, framework_version, source
    ) = 1

),

outcomes as (

    select * exclude ({{ provenance_columns() }}), status = 'ok' as ran, status as outcome from runs
    union all by name
    select *, false as ran, 'lowered' as outcome from larger

)

select * from outcomes
order by config_id, outcome
