with source as (

    select * from {{ source('raw', 'benchmart_hardware') }}

),

renamed as (

    select
        lower({{ text('hardware') }}) as hardware,
        {{ text('vendor') }} as vendor,
        lower({{ text('kind') }}) as kind,
        {{ number('memory_gb') }} as memory_gb,
        {{ number('memory_bandwidth_gbs') }} as memory_bandwidth_gbs,
        {{ number('fp32_tflops') }} as fp32_tflops,
        {{ number('fp16_tflops') }} as fp16_tflops,
        {{ number('int8_tops') }} as int8_tops,
        {{ number('fp4_tops') }} as fp4_tops,
        {{ number('tdp_w') }} as tdp_w,
        {{ number('interconnect_gbs') }} as interconnect_gbs,
        {{ number('cache_mb') }} as cache_mb,
        file as fact_source
    from source
    where {{ text('hardware') }} is not null
    qualify row_number() over (partition by lower({{ text('hardware') }}) order by file desc, line desc) = 1

)

select * from renamed
