{{ config(materialized='view') }}

with measured as (

    select
        hardware,
        count(distinct measurement_id) as measurements,
        count(distinct config_id) as configurations_measured,
        count(distinct model_name) as models_measured,
        list_sort(list(distinct framework)) as frameworks,
        max(measured_at) as last_measured_at,
    from {{ ref('measurements') }}
    group by all

),

open as (

    select hardware, count(distinct config_id) as configurations_open
    from {{ ref('scored_candidates') }}
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
