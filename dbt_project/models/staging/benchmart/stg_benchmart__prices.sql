with source as (

    select * from {{ source('raw', 'benchmart_prices') }}

),

renamed as (

    select
        lower({{ text('hardware') }}) as hardware,
        coalesce({{ count('device_count') }}, 1) as device_count,
        {{ number('price_per_hour') }} as price_per_hour,
        {{ text('currency') }} as currency,
        {{ text('provider') }} as provider,
        {{ text('region') }} as region,
        file as fact_source
    from source
    where {{ text('hardware') }} is not null

)

select * from renamed
