with front as (

    select * from {{ source('ml', 'pareto_front') }}

),

medians as (

    select
        config_id,
        map_from_entries(list_sort(list({'k': objective, 'v': p50}))) as medians,
        map_from_entries(list_sort(list({'k': objective, 'v': unit}))) as units,
    from {{ source('ml', 'hardware_options') }}
    where config_id in (select config_id from front)
    group by all

)

select
    front.workload_id,
    configurations.workload,
    front.config_id,
    configurations.configuration,
    configurations.hardware,
    configurations.device_count,
    configurations.framework,
    configurations.options,
    front.prob_on_front,
    string_split(front.objectives, ',') as objectives,
    medians.medians,
    medians.units
from front
inner join {{ ref('configurations') }} as configurations using (config_id)
inner join medians using (config_id)
