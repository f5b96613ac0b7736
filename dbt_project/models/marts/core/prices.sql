with offers as (

    select * from {{ ref('stg_benchmart__prices') }}
    union all by name
    select * from {{ ref('stg_aws_neuron__prices') }}

)

select
    coalesce(described.hardware, names.hardware, offers.hardware) as hardware,
    offers.device_count,
    offers.price_per_hour,
    offers.currency,
    offers.provider,
    offers.region,
    offers.fact_source
from offers
left join {{ ref('int_hardware') }} as described using (hardware)
left join {{ ref('int_hardware_names') }} as names
    on name_key(offers.hardware) = names.name_key
where offers.price_per_hour is not null
