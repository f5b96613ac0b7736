with source as (

    select * from {{ source('raw', 'benchmark_framework_hardware') }}

),

renamed as (

    select
        lower(coalesce({{ text('device_name') }}, {{ text('hardware_id') }})) as hardware,
        lower({{ text('hardware_type') }}) as kind,
        {{ number('memory_gb') }} as memory_gb,
        file as fact_source
    from source
    where coalesce({{ text('device_name') }}, {{ text('hardware_id') }}) is not null
    qualify row_number() over (partition by hardware order by file desc, line desc) = 1

)

select * from renamed
