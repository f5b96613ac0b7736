{#-
    A result of a system in a scenario. The unit of a result is in another column; batch size is the
    submitter's choice and not stated but for the streams, which fix it. Power is the whole system's.
    A goal of 99.9 % accuracy is part of the task; the same number is often stated for both goals.
-#}
with source as (

    select
        *,
        coalesce({{ text('Performance_Units') }}, {{ text('Units') }}) as units,
        coalesce(payload['Performance_Result'], payload['Result']) as result,
        coalesce({{ text('UsedModel') }}, {{ text('Model') }}) as used_model,
        coalesce({{ text('MlperfModel') }}, {{ text('Model') }}) as reference_model,
        coalesce({{ text('Accelerator') }}, {{ text('accelerator_model_name') }}) as accelerator,
        coalesce({{ text('Processor') }}, {{ text('host_processor_model_name') }}) as processor,
        case when coalesce({{ text('Accelerator') }}, {{ text('accelerator_model_name') }}) is null then 0
            else coalesce(nullif(coalesce({{ count('a#') }}, {{ count('accelerators_per_node') }}), 0), 1)
        end as accelerators,
        coalesce({{ count('Nodes') }}, {{ count('number_of_nodes') }}, 1) as nodes,
        coalesce({{ text('Submitter') }}, {{ text('Organization') }}) as submitter,
        coalesce({{ text('Software') }}, {{ text('framework') }}) as software
    from {{ source('raw', 'mlperf_inference') }}

),

converted as (

    select
        *,
        case when units ilike 'latency%' then {{ converted('cleaned(result)', "regexp_extract(units, '\((.*)\)', 1)", 'ms') }} end as latency_ms,
        {{ converted(text('Power_Result'), text('Power_Units'), 'W') }} as power_w,
        {{ converted(text('Power_Result'), text('Power_Units'), 'J') }} as energy_j
    from source

),

renamed as (

    select
        -- ids
        'mlperf_inference' as source,
        file,
        line,
        row_hash,
        -- the JSON and the vendors' own tables number results differently, or not at all
        md5(concat_ws('|', submitter, {{ text('Platform') }}, regexp_replace(used_model, '-99(\.9)?$', ''),
            {{ text('Scenario') }}, {{ text('version') }}, nodes, accelerators)) as repeated_key,
        submitter,

        -- workload
        regexp_replace(used_model, '-99(\.9)?$', '') as model_name,
        case
            when reference_model similar to '(resnet|retinanet|3d-unet|pointpainting).*' then 'vision'
            when reference_model similar to '(gptj|llama|mixtral|deepseek).*' then 'text_generation'
            when reference_model like 'bert%' then 'text_embedding'
            when reference_model similar to '(whisper|rnnt).*' then 'audio'
            when reference_model like 'stable-diffusion%' then 'image_generation'
            when reference_model like 'dlrm%' then 'recommendation'
            when reference_model like 'rgat%' then 'graph'
        end as model_type,
        lower({{ text('Scenario') }}) || case when reference_model like '%-99.9' then ' at 99.9% accuracy' else '' end as task,
        case lower({{ text('Scenario') }}) when 'singlestream' then 1 when 'multistream' then 8 end::bigint as batch_size,
        precision_in({{ text('weight_data_types') }}) as precision,
        case lower(units)
            when 'tokens/s' then 'output_tokens/s'
            when 'samples/s' then 'samples/s'
            when 'queries/s' then 'queries/s'
        end as throughput_unit,

        -- platform
        case when accelerators > 0 then without_devices(accelerator) else without_devices(processor) end as hardware,
        nodes * case
            when accelerators > 0 then accelerators else coalesce({{ count('host_processors_per_node') }}, 1)
        end as device_count,
        case when accelerators > 0 then coalesce({{ count('Total Accelerators') }}, devices_in(accelerator)) end as stated_device_count,
        -- 'TensorRT 10.2.0, CUDA 12.4', 'vLLM v0.9', 'TODO: TensorRT'
        nullif(regexp_replace(trim(regexp_extract(lower(software), '^(?:todo: *)?([^\d,:]+)', 1)), ' v(master)?$', ''), '')
            as framework,
        nullif(regexp_extract(software, '^[^\d,]+([\d.]+)', 1), '') as framework_version,
        case when nodes > 1 then 'nodes=' || nodes else '' end as options,

        -- result
        'ok' as status,
        {{ metrics({
            'throughput': "case when units ilike '%/s' then number_of(result) end",
            'latency_p90_ms': 'case when ' ~ text('Scenario') ~ " ilike 'singlestream' then latency_ms end",
            'latency_p99_ms': 'case when ' ~ text('Scenario') ~ " ilike 'multistream' then latency_ms end",
            'system_power_w': 'power_w',
            'system_energy_j': 'energy_j',
        }) }} as metrics,
        concat_ws('; ', {{ text('Platform') }}, {{ text('System') }}, {{ text('Category') }}, {{ text('Notes') }}) as notes,

        list_concat(
            {{ unreadable(counts=['a#', 'accelerators_per_node', 'Nodes', 'number_of_nodes', 'host_processors_per_node']) }},
            list_filter(
                [
                    case when cleaned(result) is not null and number_of(result) is null
                        then 'the result is not a number: ' || result end,
                    case when lower(units) not in ('tokens/s', 'samples/s', 'queries/s') and latency_ms is null
                        then 'unit of the result is not known: ' || units end,
                    case when {{ text('Power_Result') }} is not null and power_w is null and energy_j is null
                        then 'unit of power is not known: ' || coalesce({{ text('Power_Units') }}, 'none') end,
                    case when lower(coalesce({{ text('compliance') }}, {{ text('compilance') }})) in ('0', 'false')
                        then 'marked as not compliant' end,
                ],
                lambda reason: reason is not null
            )
        ) as problems
    from converted

)

select * from renamed
