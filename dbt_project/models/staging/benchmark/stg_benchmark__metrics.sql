with source as (

    select * from {{ source('raw', 'benchmark_metrics') }}

),

renamed as (

    select
        {{ text('metric') }} as metric,
        coalesce({{ text('unit') }}, '') as unit,
        coalesce(lower({{ text('direction') }}), 'higher') as direction,
        coalesce({{ text('description') }}, '') as description
    from source
    where {{ text('metric') }} is not null
    qualify row_number() over (partition by metric order by file desc, line desc) = 1

)

select * from renamed
