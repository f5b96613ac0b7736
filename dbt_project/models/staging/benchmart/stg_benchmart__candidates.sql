with source as (

    select * from {{ source('raw', 'benchmart_candidates') }}

),

renamed as (

    select
        {{ native_configuration() }},
        {{ number('cost_minutes') }} as cost_minutes
    from source
    where {{ text('model_name') }} is not null
        and {{ text('hardware') }} is not null
        and ({{ count('batch_size') }}) >= 1

)

select * from renamed
