{#-
    Hardware is a cloud instance; it becomes its chips: as many as the degree of parallelism uses, or as
    the batches in flight keep busy, for some run on one chip of a large instance.
    Many runs stand in a throughput and in a latency table. Tables of tutorials do not say on which
    instance they ran: their rows are rejected.
-#}
with source as (

    select
        *,
        -- 'trn1.32xlarge/trn1n.32xlarge' differ in their network only
        lower(split_part(coalesce({{ text('Inst. Type') }}, {{ text('Instance-Type') }}), '/', 1)) as instance,
        coalesce({{ text('Model Data Type') }}, {{ text('Training Data-Type') }}, {{ text('Model details') }}) as data_type,
        coalesce({{ text('Compilation Autocast Data Type') }}, {{ text('Training Data-Type') }}) as autocast,
        coalesce({{ text('Image Size') }}, '') as image,
        {{ text('Training Data-Type') }} is not null as trained,
        coalesce({{ count('TP Degree') }}, 0) * coalesce({{ count('DP Degree') }}, 1) as cores,
        -- the throughput column, whatever it is called
        list_filter(
            map_entries(payload),
            lambda cell: regexp_matches(lower(cell.key), '^(avg |output token )?throughput|^performance')
        )[1] as throughput,
        {{ quantity('Latency P50', 'ms', 'ms') }} as latency_p50,
        {{ quantity('Latency P99', 'ms', 'ms') }} as latency_p99,
        {{ quantity('TTFT Latency P50', 'ms', 'ms') }} as ttft_p50,
        {{ quantity('TTFT Latency P99', 'ms', 'ms') }} as ttft_p99,
        {{ quantity('TPOT Latency P50', 'ms', 'ms') }} as tpot_p50,
        {{ quantity('TPOT Latency P99', 'ms', 'ms') }} as tpot_p99,
        {{ quantity('Latency per Token P50', 'ms', 'ms') }} as token_p50,
        {{ quantity('Latency per Token P99', 'ms', 'ms') }} as token_p99,
        {{ quantity('TTFT', 'ms', 'ms') }} as tutorial_ttft,
        {{ quantity('TPOT', 'ms', 'ms') }} as tutorial_tpot
    from {{ source('raw', 'aws_neuron') }}

),

flown as (

    select
        *,
        number_of(throughput.value) * latency_p50.value / 1000 / {{ count('Batch Size') }} as batches_in_flight
    from source

),

renamed as (

    select
        -- ids
        'aws_neuron' as source,
        file,
        line,
        row_hash,

        -- workload
        {{ text('Model') }} as model_name,
        case
            when {{ text('Task') }} = 'Text Generation' then 'text_generation'
            when {{ text('Task') }} like 'Raw Output%' then 'text_embedding'
            when {{ text('Task') }} = 'Image Generation' then 'image_generation'
            when {{ text('Task') }} ilike '%multimodal%' then 'multimodal'
            when {{ text('Task') }} ilike 'image%' or {{ text('Application') }} = 'CV' then 'vision'
        end as model_type,
        case when trained then 'training' else 'inference' end as task,
        coalesce({{ count('Batch Size') }}, {{ count('Globalbatch') }}) as batch_size,
        coalesce(
            {{ count('Input Length') }}, {{ count('Sequence Length') }}, {{ count('Seq. Length') }},
            try_cast(regexp_extract({{ text('Model details') }}, 'sequence-length=(\d+)', 1) as bigint)
        ) as input_length,
        {{ count('Output Length') }} as output_length,
        case when split_part(image, 'x', 1) = split_part(image, 'x', 2) and image not like '%x%x%'
            then try_cast(split_part(image, 'x', 1) as bigint)
        end as image_size,
        coalesce({{ count('Threads') }}, 1) as concurrency,
        case
            when {{ text('Weight Storage Data Type') }} = 'int8' then 'w8a16'
            when regexp_matches(autocast, '(?i)^(matmult-|autocast:)bf16') then 'amp_bf16'
            else precision_in(data_type)
        end as precision,
        case
            when regexp_matches(lower(throughput.key), 'token') then 'output_tokens/s'
            when regexp_matches(lower(throughput.key), 'seq/s') then 'sequences/s'
            else 'inferences/s'
        end as throughput_unit,

        -- platform
        coalesce(instances.hardware, instance) as hardware,
        coalesce({{ count('Nodes') }}, 1) * case
            when cores > 0 then least(ceil(cores / instances.cores_per_device), instances.device_count)
            when not trained and batches_in_flight < instances.device_count
                then greatest(ceil(round(batches_in_flight) / instances.cores_per_device), 1)
            else coalesce(instances.device_count, 1)
        end::bigint as device_count,
        lower(regexp_extract({{ text('Framework') }}, '^([A-Za-z ]*[A-Za-z])', 1)) as framework,
        {{ text('Neuron Version') }} as framework_version,
        concat_ws(' ', lower({{ text('Topology') }}), case when cores > 0 then 'tp=' || {{ count('TP Degree') }} end,
            case when {{ text('Run Mode') }} ilike '%pipeline%' then 'pipeline' end,
            case when {{ count('N Models') }} > 1 then 'models=' || {{ count('N Models') }} end) as options,

        -- result
        'ok' as status,
        {{ metrics({
            'throughput': 'number_of(throughput.value)',
            'latency_ms': 'latency_p50.value',
            'latency_p99_ms': 'latency_p99.value',
            'ttft_ms': 'coalesce(ttft_p50.value, tutorial_ttft.value)',
            'ttft_p99_ms': 'ttft_p99.value',
            'itl_ms': 'coalesce(tpot_p50.value, token_p50.value, tutorial_tpot.value)',
            'itl_p99_ms': 'coalesce(tpot_p99.value, token_p99.value)',
        }) }} as metrics,
        concat_ws(', ', instance, {{ text('Framework') }}, {{ text('Application Type') }}, nullif(image, '')) as notes,

        list_concat(
            {{ unreadable(
                counts=['Batch Size', 'Globalbatch', 'TP Degree', 'DP Degree', 'Nodes', 'Sequence Length', 'Input Length', 'Output Length'],
                quantities=['latency_p50', 'latency_p99', 'ttft_p50', 'ttft_p99', 'tpot_p50', 'tpot_p99',
                    'token_p50', 'token_p99', 'tutorial_ttft', 'tutorial_tpot'],
            ) }},
            case when cleaned(throughput.value) is not null and number_of(throughput.value) is null
                then [throughput.key || ' is not a number: ' || throughput.value] else [] end
        ) as problems
    from flown
    left join {{ ref('cloud_instances') }} as instances using (instance)

)

select * from renamed
