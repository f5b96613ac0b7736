{#- Price of an instance an hour, reserved; an instance is its chips. -#}
with source as (

    select
        *,
        lower({{ text('Inst. Type') }}) as instance
    from {{ source('raw', 'aws_neuron_prices') }}

),

renamed as (

    select
        coalesce(instances.hardware, instance) as hardware,
        coalesce(instances.device_count, 1) as device_count,
        {{ number('RI-Effective hourly rate') }} as price_per_hour,
        'USD' as currency,
        'aws ' || instance as provider,
        null::varchar as region,
        file as fact_source
    from source
    left join {{ ref('cloud_instances') }} as instances using (instance)
    where instance is not null

)

select * from renamed
