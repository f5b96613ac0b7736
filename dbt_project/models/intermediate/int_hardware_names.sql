{#- A spelling that two described devices share stands for neither. -#}
with named as (

    select name_key(hardware) as name_key, hardware, 1 as priority from {{ ref('int_hardware') }}
    union all by name
    select alias as name_key, hardware, 2 as priority from {{ ref('hardware_aliases') }}
    where source is null

)

select
    name_key,
    arg_min(hardware, priority) as hardware
from named
group by name_key
having count(*) filter (where priority = 1) <= 1
