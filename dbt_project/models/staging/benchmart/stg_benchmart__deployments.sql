with source as (

    select * from {{ source('raw', 'benchmart_deployments') }}

),

renamed as (

    select
        {{ native_configuration() }},
        {{ number('requests_per_second') }} as requests_per_second,
        file,
        line
    from source
    where {{ text('model_name') }} is not null
        and {{ text('hardware') }} is not null

)

select * from renamed
