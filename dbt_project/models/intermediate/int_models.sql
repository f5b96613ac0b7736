with facts as (

    select 1 as priority, * from {{ ref('stg_benchmark__models') }}
    union all by name
    select 2 as priority, * from {{ ref('model_architectures') }}
    union all by name
    select 3 as priority, * from {{ ref('stg_timm__models') }}

),

chosen as (

    select
        * exclude (priority),
        coalesce(cast(image_size as varchar), '*') as resolution
    from facts
    qualify priority = min(priority) over (partition by model_name)

)

select * from chosen
