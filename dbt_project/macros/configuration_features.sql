{#-
    Facts, operation counts and physical bounds of configurations: the one place where they are worked
    out, for training rows, candidates and ad-hoc predictions alike (the latter through the macro
    `features.describe_configurations` that features.training_features leaves in the published database).

    `relation` has the configuration columns of the native format; every other column is passed on.

    Roofline (Williams et al. 2009): time >= max(operations / peak, bytes moved / bandwidth).
    Transformers: 2 operations per active parameter and token plus attention; the head is needed for the
    last token of a prompt alone. Each step streams the weights, without the embedding table, and the
    key-value cache once; a mixture of experts streams the experts that its tokens hit.
    A bound must hold for every honest run: what is not known is taken at its best, and a bound that
    nothing is known for stays empty.
-#}
{% macro configuration_features(relation) %}
with configurations as (

    select
        source_row.* exclude (hardware, model_type, framework, framework_version, precision, throughput_unit,
            task, options, device_count, concurrency, batch_size, input_length, output_length, image_size),
        coalesce(described.hardware, names.hardware, lower(trim(source_row.hardware))) as hardware,
        lower(source_row.model_type) as model_type,
        coalesce(lower(source_row.framework), 'unstated') as framework,
        source_row.framework_version,
        coalesce(precisions.name, lower(source_row.precision), 'unstated') as precision,
        lower(source_row.throughput_unit) as throughput_unit,
        coalesce(source_row.task, 'inference') as task,
        coalesce(source_row.options, '') as options,
        coalesce(source_row.device_count, 1)::bigint as device_count,
        coalesce(source_row.concurrency, 1)::bigint as concurrency,
        source_row.batch_size::bigint as batch_size,
        source_row.input_length::bigint as input_length,
        source_row.output_length::bigint as output_length,
        source_row.image_size::bigint as image_size
    from {{ relation }} as source_row
    -- a device that is described under the very name it was given is no alias
    left join {{ ref('int_hardware') }} as described
        on lower(trim(source_row.hardware)) = described.hardware
    left join {{ ref('int_hardware_names') }} as names
        on name_key(source_row.hardware) = names.name_key
    left join {{ ref('precisions') }} as precisions
        on lower(trim(source_row.precision)) = precisions.precision

),

facts as (

    select
        configurations.* exclude (model_type, throughput_unit),
        coalesce(configurations.model_type, models.model_type, 'unstated') as model_type,
        coalesce(
            configurations.throughput_unit,
            case coalesce(configurations.model_type, models.model_type)
                when 'text_generation' then 'tokens/s' when 'vision' then 'images/s' else 'samples/s'
            end
        ) as throughput_unit,

        -- a model of unknown family is a family of its own: a null is like nothing, not even itself
        coalesce(models.model_family, family_in(configurations.model_name), configurations.model_name) as model_family,
        models.parameters_million,
        coalesce(models.active_parameters_million, models.parameters_million) as active_parameters_million,
        coalesce(models.active_parameters_million, models.parameters_million)
            - coalesce(models.embedding_parameters_million, 0) as multiplied_parameters_million,
        models.embedding_parameters_million,
        models.layers,
        models.hidden_size,
        models.heads,
        coalesce(models.kv_heads, models.heads) as kv_heads,
        models.vocabulary_size,
        models.gmacs,
        models.activations_million,
        models.model_name is not null as model_known,

        hardware.kind as hardware_kind,
        hardware.memory_gb,
        hardware.memory_bandwidth_gbs,
        hardware.fp32_tflops,
        hardware.fp16_tflops,
        hardware.tdp_w,
        hardware.interconnect_gbs,
        hardware.hardware is not null as hardware_known,
        precisions.precision is not null as precision_known,
        coalesce(precisions.weight_bytes, 0.5) as weight_bytes,
        coalesce(precisions.activation_bytes, 1) as activation_bytes,
        case precisions.compute_class
            -- graphics processors round fp32 to 19 bits for convolutions, at half the 16 bit rate
            when 'fp32' then greatest(
                hardware.fp32_tflops,
                case when hardware.kind = 'gpu' then hardware.fp16_tflops / 2 end
            )
            when 'fp16' then greatest(hardware.fp16_tflops, hardware.fp32_tflops)
            when 'int8' then greatest(hardware.int8_tops, hardware.fp16_tflops, hardware.fp32_tflops)
            else greatest(hardware.fp4_tops, hardware.int8_tops, hardware.fp16_tflops, hardware.fp32_tflops)
        end as peak_tflops,
        1e6 * coalesce(hardware.cache_mb, 0) * configurations.device_count as cache_bytes
    from configurations
    left join {{ ref('int_models') }} as models
        on configurations.model_name = models.model_name
        and models.resolution = case
            when list_contains(models.resolutions, cast(configurations.image_size as varchar))
                then cast(configurations.image_size as varchar)
            when configurations.image_size is null then coalesce(models.standard_resolution, '*')
            else '*'
        end
    left join {{ ref('int_hardware') }} as hardware
        on configurations.hardware = hardware.hardware
    left join {{ ref('precisions') }} as precisions
        on configurations.precision = precisions.precision

),

work as (

    select
        *,
        -- a unit per sequence says that one sequence was processed, whatever the batch was called
        -- of a batch that is not stated, one sequence is known to be processed
        case when throughput_unit like '%/sequence' then 1 else coalesce(batch_size, 1) end as sequences,
        1e6 * parameters_million * weight_bytes as weight_bytes_total,
        1e6 * (parameters_million - coalesce(embedding_parameters_million, 0)) * weight_bytes as streamed_bytes,
        least(coalesce(vocabulary_size * hidden_size / 1e6, 0), multiplied_parameters_million) as head_parameters_million,
        2 * layers * kv_heads * (hidden_size / heads) * activation_bytes as kv_bytes_per_token,
        input_length + coalesce(output_length, 0) as context_length,
        input_length + coalesce(output_length, 0) / 2 as mean_context_length,
        1 - least(active_parameters_million / parameters_million, 1) as expert_share
    from facts

),

operations as (

    select
        *,
        -- the first pass: a prompt, a sentence or a batch of images
        case
            when model_type = 'text_generation' then
                sequences * (
                    2e6 * (multiplied_parameters_million - head_parameters_million) * input_length
                    + 2e6 * head_parameters_million
                    + coalesce(2 * layers * hidden_size * input_length ** 2, 0)
                )
            -- operations of one sample at any length do not bound those at another
            when model_type = 'text_embedding' then
                sequences * (2e6 * multiplied_parameters_million * input_length
                    + coalesce(4 * layers * hidden_size * input_length ** 2, 0))
            when gmacs is not null then
                sequences * 2e9 * greatest(gmacs, 0.001) * case task when 'training' then 3 else 1 end
        end as first_operations,
        case
            when model_type = 'text_generation' then
                streamed_bytes * (1 - expert_share ** least(sequences * input_length, 1000))
            else streamed_bytes
        end as first_bytes,
        -- each of the following tokens
        case when model_type = 'text_generation' then
            sequences * (2e6 * multiplied_parameters_million
                + coalesce(4 * layers * hidden_size * mean_context_length, 0))
        end as step_operations,
        case when model_type = 'text_generation' then
            streamed_bytes * (1 - expert_share ** least(sequences, 1000))
                + coalesce(sequences * kv_bytes_per_token * mean_context_length, 0)
            else 0
        end as step_bytes,
        case when model_type = 'text_generation'
            then greatest(coalesce(output_length, 1) - 1, 0) else 0
        end as steps
    from work

),

times as (

    select
        *,
        first_operations / (1e12 * peak_tflops * device_count) as first_compute_seconds,
        -- what stays in the last-level cache is not read from memory; a large batch shares what is read
        case when batch_size is null then 0 when first_bytes > cache_bytes then first_bytes - cache_bytes when first_bytes is not null then 0 end
            / (1e9 * memory_bandwidth_gbs * device_count) as first_memory_seconds,
        coalesce(step_operations, 0) / (1e12 * peak_tflops * device_count) as step_compute_seconds,
        case when batch_size is null then 0 when step_bytes > cache_bytes then step_bytes - cache_bytes when step_bytes is not null then 0 end
            / (1e9 * memory_bandwidth_gbs * device_count) as step_memory_seconds
    from operations

),

bounds as (

    select
        *,
        greatest(first_compute_seconds, first_memory_seconds) as first_seconds,
        greatest(step_compute_seconds, step_memory_seconds) as step_seconds
    from times

),

described as (

    select
        *,
        first_seconds + steps * step_seconds as roofline_seconds,
        -- what throughput counts in a batch
        case
            when throughput_unit = 'output_tokens/s' then output_length
            when throughput_unit in ('tokens/s', 'tokens/s/sequence') then context_length
            when regexp_matches(throughput_unit, '^(samples|images|sequences|requests|inferences|frames|queries)/s$') then 1
        end * sequences as batch_work,
        weight_bytes_total
            + coalesce(case model_type when 'text_generation' then kv_bytes_per_token * context_length end, 0) as needed_bytes
    from bounds

)

select
    -- passed on
    * exclude (
        weight_bytes, activation_bytes, cache_bytes, sequences, weight_bytes_total, streamed_bytes,
        head_parameters_million, embedding_parameters_million, context_length, mean_context_length, expert_share, first_operations, first_bytes,
        step_operations, step_bytes, steps, first_compute_seconds, first_memory_seconds,
        step_compute_seconds, step_memory_seconds, first_seconds, step_seconds, kv_bytes_per_token,
        needed_bytes, roofline_seconds, batch_work
    ),

    -- ids
    model_type || '/' || task || '/' || throughput_unit as comparable_group,
    md5(concat_ws('|', model_name, model_type, task, throughput_unit, precision, coalesce(batch_size, 0), coalesce(input_length, 0),
        coalesce(output_length, 0), coalesce(image_size, 0), concurrency)) as workload_id,
    md5(concat_ws('|', hardware, device_count, framework, options)) as platform_id,
    md5(concat_ws('|', model_name, model_type, task, throughput_unit, precision, coalesce(batch_size, 0), coalesce(input_length, 0),
        coalesce(output_length, 0), coalesce(image_size, 0), concurrency,
        hardware, device_count, framework, options)) as config_id,
    concat_ws(' ', model_name, nullif(precision, 'unstated'), 'batch ' || batch_size,
        case when concurrency > 1 then 'x' || concurrency || ' concurrent' end,
        coalesce(input_length || '+' || output_length, cast(input_length as varchar)) || ' tokens',
        image_size || ' px', nullif(task, 'inference'),
        case when throughput_unit like '%/sequence' then '(per sequence)' end) as workload,
    concat_ws(' ', hardware, 'x' || device_count, framework, nullif(options, '')) as platform,

    -- physics
    framework || ' on ' || hardware as hardware_framework,
    list_sum(list_transform(
        regexp_extract_all(framework_version, '\d+')[1:3],
        lambda part, i: cast(part as double) / 100 ** (i - 1)
    )) as framework_version_number,
    first_compute_seconds + steps * step_compute_seconds as compute_seconds,
    first_memory_seconds + steps * step_memory_seconds as memory_seconds,
    roofline_seconds,
    (first_operations + coalesce(steps * step_operations, 0))
        / nullif(first_bytes + coalesce(steps * step_bytes, 0), 0) as arithmetic_intensity,
    first_seconds / nullif(roofline_seconds, 0) as first_share,
    coalesce(step_compute_seconds / nullif(step_memory_seconds, 0),
        first_compute_seconds / nullif(first_memory_seconds, 0)) as compute_to_memory,
    sequences * kv_bytes_per_token * context_length / 1e6 as kv_cache_mb,
    weight_bytes_total / 1e6 / device_count as weights_mb_per_device,
    2e6 * activations_million * activation_bytes * sequences / (1e9 * memory_bandwidth_gbs) as activation_seconds,
    coalesce(sequences * kv_bytes_per_token * context_length + weight_bytes_total, weight_bytes_total)
        / (1e9 * memory_gb * device_count) as memory_share,
    -- all activations of a batch at once, as training keeps them; inference needs a part of them
    1e6 * activations_million * activation_bytes * sequences * concurrency
        / (1e9 * memory_gb * device_count) as activation_share,
    -- serving in waves needs the cache of one sequence at a time
    (needed_bytes <= 1e9 * memory_gb * device_count) is not false as fits_in_memory,

    -- bounds: time and memory at the least, throughput and power at the most
    batch_work,
    batch_work
        -- batches in flight share what is read from memory, not the arithmetic
        / nullif(greatest(roofline_seconds / concurrency, first_compute_seconds + steps * step_compute_seconds), 0)
        as bound_throughput,
    1000 * roofline_seconds as bound_latency_ms,
    case when model_type = 'text_generation' then 1000 * first_seconds end as bound_ttft_ms,
    case when model_type = 'text_generation' and steps > 0 then 1000 * step_seconds end as bound_itl_ms,
    needed_bytes / 1e6 as bound_memory_mb,
    tdp_w * device_count as bound_power_w
from described
{% endmacro %}
