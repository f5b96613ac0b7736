with offers as (

    select *, true as is_own from {{ ref('stg_benchmart__prices') }}
    union all by name
    select *, false as is_own from {{ ref('stg_aws_neuron__prices') }}

),

named as (

    select
        coalesce(described.hardware, names.hardware, offers.hardware) as hardware,
        offers.* exclude (hardware)
    from offers
    left join {{ ref('int_hardware') }} as described using (hardware)
    left join {{ ref('int_hardware_names') }} as names
        on name_key(offers.hardware) = names.name_key
    where offers.price_per_hour is not null

)

select * exclude (is_own)
from named
-- what you pay yourself is known better than what is published
qualify is_own or not bool_or(is_own) over (partition by hardware)
