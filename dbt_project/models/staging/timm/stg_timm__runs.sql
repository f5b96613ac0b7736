{#-
    Everything but model and numbers is in the file name, for instance
    benchmark-infer-amp-nchw-pt291-cu130-pro6000maxq-dynamo.csv.
    Batch size is the largest that fitted, up to the one the file started with, so throughput is not
    at equal batch. Where it is smaller, the next larger step was tried and failed: 2, 3, 4, 6, 8, 12, ...
-#}
with source as (

    select
        *,
        regexp_extract(file, 'benchmark-(infer|train)-(\w+)-(nchw|nhwc)-pt(\d+)-(cpu|cu\d+)-(.+?)(-dynamo)?\.csv$',
            ['mode', 'precision', 'layout', 'pytorch', 'cuda', 'hardware', 'dynamo']) as name,
        coalesce({{ number('infer_batch_size') }}, {{ number('train_batch_size') }}) as batch,
        coalesce({{ number('infer_samples_per_sec') }}, {{ number('train_samples_per_sec') }}) as samples_per_second,
        coalesce({{ number('infer_step_time') }}, {{ number('train_step_time') }}) as step_ms
    from {{ source('raw', 'timm') }}

),

renamed as (

    select
        -- ids
        'timm' as source,
        file,
        line,
        row_hash,
        null::varchar as run_id,

        -- workload
        {{ text('model') }} as model_name,
        'vision' as model_type,
        case name.mode when 'train' then 'training' else 'inference' end as task,
        try_cast(batch as bigint) as batch_size,
        case when batch < max(batch) over (partition by file)
            then cast(ceil(case when log2(batch) = round(log2(batch)) then batch * 3 / 2 else batch * 4 / 3 end) as bigint)
        end as failed_batch_size,
        null::bigint as input_length,
        null::bigint as output_length,
        coalesce({{ count('infer_img_size') }}, {{ count('train_img_size') }}) as image_size,
        1::bigint as concurrency,
        nullif(name.precision, '') as precision,
        'images/s' as throughput_unit,

        -- platform
        nullif(name.hardware, '') as hardware,
        1::bigint as device_count,
        case when name.dynamo = '' then 'pytorch' else 'torch.compile' end as framework,
        -- pt113 is 1.13, pt291 is 2.9.1
        case
            when name.pytorch like '1%' then regexp_replace(name.pytorch, '^(\d)(\d+)$', '\1.\2')
            else regexp_replace(name.pytorch, '^(\d)(\d+)(\d)$', '\1.\2.\3')
        end as framework_version,
        'layout=' || name.layout as options,

        -- result
        'ok' as status,
        -- throughput is rounded to two decimals: below 10 images a second the step time is exacter
        {{ metrics({
            'throughput': 'case when samples_per_second < 10 then 1000 * batch / step_ms else samples_per_second end',
            'latency_ms': 'step_ms',
        }) }} as metrics,
        case when name.cuda like 'cu%' then 'CUDA ' || name.cuda[3:4] || '.' || name.cuda[5:] end as notes,

        -- timestamps
        null::timestamptz as measured_at,

        list_concat(
            {{ unreadable(
                numbers=['infer_samples_per_sec', 'train_samples_per_sec', 'infer_step_time', 'train_step_time'],
                counts=['infer_batch_size', 'train_batch_size', 'infer_img_size', 'train_img_size'],
            ) }},
            case when name.mode = '' then ['the file name does not say precision, layout, version and hardware'] else [] end
        ) as problems
    from source

)

select * from renamed
