with user_hardware as (

    select * from {{ ref('stg_benchmark__hardware') }}

),

described as (

    select * from user_hardware
    union all by name
    select * from {{ ref('hardware_specs') }}
    where hardware not in (select hardware from user_hardware)

)

select * from described
