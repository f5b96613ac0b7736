{#-
    What the user states wins, column by column, then the seed, then the tables themselves.
    Resolution '*' stands for every resolution that has no row of its own.
-#}
with facts as (

    select 1 as priority, * from {{ ref('stg_benchmart__models') }}
    union all by name
    select 2 as priority, * from {{ ref('model_architectures') }}
    union all by name
    select 3 as priority, * from {{ ref('stg_timm__models') }}
    union all by name
    select 4 as priority, * from {{ ref('stg_ml_energy__models') }}
    union all by name
    select 5 as priority, * from {{ ref('stg_benchmark_framework__models') }}

),

keyed as (

    select
        * exclude (image_size),
        coalesce(cast(image_size as varchar), '*') as resolution
    from facts

),

merged as (

    select
        model_name,
        resolution,
        arg_min(columns(* exclude (model_name, resolution, priority)), priority)
    from keyed
    group by all

),

-- what the best source has facts for, where that is one resolution
standard as (

    select
        model_name,
        case when count(distinct resolution) = 1 then any_value(resolution) end as standard_resolution
    from (
        select * from keyed
        qualify priority = min(priority) over (partition by model_name)
    )
    group by model_name

)

select
    merged.*,
    list(resolution) over (partition by model_name) as resolutions,
    standard.standard_resolution
from merged
left join standard using (model_name)
