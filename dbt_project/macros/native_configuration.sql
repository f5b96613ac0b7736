{#- The columns of a configuration in the native format: runs and candidates share them. -#}
{% macro native_configuration() -%}
        -- workload
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

        -- platform
        {{ text('hardware') }} as hardware,
        coalesce({{ count('device_count') }}, 1) as device_count,
        {{ text('framework') }} as framework,
        {{ text('framework_version') }} as framework_version,
        coalesce({{ text('options') }}, '') as options
{%- endmacro %}
