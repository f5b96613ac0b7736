{#- Type and unit that a deployment does not state are those that its model, or models of its type, were measured in most. -#}
with runs as (

    select * from {{ ref('int_runs__judged') }}
    where verdict = 'accepted' and status = 'ok'

),

of_model as (

    select model_name, task, mode(model_type) as model_type, mode(throughput_unit) as throughput_unit
    from runs
    group by all

),

of_type as (

    select model_type, task, mode(throughput_unit) as throughput_unit
    from runs
    group by all

),

typed as (

    select
        deployments.* replace (
            coalesce(deployments.model_type, of_model.model_type, models.model_type) as model_type,
            coalesce(deployments.throughput_unit, of_model.throughput_unit) as throughput_unit
        )
    from {{ ref('stg_benchmart__deployments') }} as deployments
    left join of_model using (model_name, task)
    left join {{ ref('int_models') }} as models
        on deployments.model_name = models.model_name and models.resolution = '*'

),

filled as (

    select typed.* replace (coalesce(typed.throughput_unit, of_type.throughput_unit) as throughput_unit)
    from typed
    left join of_type
        on lower(typed.model_type) = of_type.model_type and typed.task = of_type.task

),

described as (

    {{ configuration_features('filled') }}

)

select * from described
