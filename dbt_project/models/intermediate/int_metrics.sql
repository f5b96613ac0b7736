{#- What the user states wins, column by column; the seed fills in the rest. -#}
with facts as (

    select 1 as priority, * from {{ ref('stg_benchmart__metrics') }}
    union all by name
    select 2 as priority, * from {{ ref('metrics') }}

),

merged as (

    select
        metric,
        coalesce(arg_min(unit, priority), '') as unit,
        coalesce(arg_min(direction, priority), 'higher') as direction,
        coalesce(arg_min(description, priority), '') as description
    from facts
    group by metric

)

select * from merged
