with source as (

    select * from {{ source('raw', 'benchmart_metrics') }}

),

renamed as (

    select
        {{ text('metric') }} as metric,
        {{ text('unit') }} as unit,
        lower({{ text('direction') }}) as direction,
        {{ text('description') }} as description
    from source
    where {{ text('metric') }} is not null
    qualify row_number() over (partition by metric order by file desc, line desc) = 1

)

select * from renamed
