{{ config(materialized='view') }}

with measured as (

    select
        hardware,
        count(*) as measurements,
        count(distinct config_id) as configurations_measured,
        count(distinct model_name) as models_measured,
        list_sort(list(distinct framework)) as frameworks,
        max(measured_at) as last_measured_at,
    from {{ ref('runs') }}
    where status = 'ok'
    group by all

),

by_objective as (

    select hardware, objective, count(*) as candidates
    from {{ ref('scored_candidates') }}
    group by all

),

open as (

    select hardware, max(candidates) as configurations_open
    from by_objective
    group by all

)

select
    hardware,
    coalesce(measurements, 0) as measurements,
    coalesce(configurations_measured, 0) as configurations_measured,
    coalesce(configurations_open, 0) as configurations_open,
    coalesce(models_measured, 0) as models_measured,
    coalesce(frameworks, []) as frameworks,
    last_measured_at
from measured
full join open using (hardware)
