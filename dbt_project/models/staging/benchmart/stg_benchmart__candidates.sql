with source as (

    select * from {{ source('raw', 'benchmart_candidates') }}

),

renamed as (

    select
        {{ text('model_name') }} as model_name,
        {{ text('model_type') }} as model_type,
        coalesce({{ text('task') }}, 'inference') as task,
        {{ count('batch_size') }} as batch_size,
        {{ count('input_length') }} as input_length,
        {{ count('output_length') }} as output_length,
        {{ count('image_size') }} as image_size,
        coalesce({{ count('concurrency') }}, 1) as concurrency,
        {{ text('precision') }} as precision,
        {{ text('throughput_unit') }} as throughput_unit,
        {{ text('hardware') }} as hardware,
        coalesce({{ count('device_count') }}, 1) as device_count,
        {{ text('framework') }} as framework,
        {{ text('framework_version') }} as framework_version,
        coalesce({{ text('options') }}, '') as options,
        {{ number('cost_minutes') }} as cost_minutes
    from source
    where {{ text('model_name') }} is not null
        and {{ text('hardware') }} is not null
        and ({{ count('batch_size') }}) >= 1

)

select * from renamed
