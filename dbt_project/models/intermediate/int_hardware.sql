{#- What the user states wins, column by column, then the seed, then the tables themselves. -#}
with facts as (

    select 1 as priority, * from {{ ref('stg_benchmart__hardware') }}
    union all by name
    select 2 as priority, * from {{ ref('hardware_specs') }}
    union all by name
    select 3 as priority, described.* replace (coalesce(aliases.hardware, described.hardware) as hardware)
    from {{ ref('stg_benchmark_framework__hardware') }} as described
    left join {{ ref('hardware_aliases') }} as aliases
        on aliases.source is null and name_key(described.hardware) = aliases.alias

),

merged as (

    select
        hardware,
        arg_min(columns(* exclude (hardware, priority)), priority)
    from facts
    group by hardware

)

select * from merged
