{#-
    A cell of the table: a model on one processor. The heading states frames a second; audio models
    have a real-time factor in the same column; '/' says that the processor cannot run the model; a
    cell may state another precision than its row: 30.6(INT8).
-#}
with source as (

    select
        *,
        regexp_extract_all({{ text('inputs_shape') }}, '\d+') as shape,
        payload['result'] as cell,
        regexp_extract(payload['result'], '^([\d.,]+)\s*(?:\(([A-Za-z0-9]+)\))?$', ['value', 'precision']) as frames,
        regexp_extract(payload['result'], '^RTF\s*([\d.,]+)$', 1) as real_time_factor
    from {{ source('raw', 'rknn_model_zoo') }}

),

renamed as (

    select
        -- ids
        'rknn_model_zoo' as source,
        file,
        line,
        row_hash,

        -- workload
        {{ text('model_name') }} as model_name,
        case
            when {{ text('demo') }} in ('wav2vec2', 'whisper', 'zipformer', 'yamnet', 'mms_tts') then 'audio'
            when {{ text('demo') }} = 'clip' or {{ text('model_name') }} like 'clip%' then 'multimodal'
            when {{ text('demo') }} = 'lite_transformer' then 'text_embedding'
            else 'vision'
        end as model_type,
        1::bigint as batch_size,
        case when len(shape) = 4 and shape[3] = shape[4] then cast(shape[4] as bigint) end as image_size,
        lower(coalesce(nullif(frames.precision, ''), {{ text('dtype') }})) as precision,
        'frames/s' as throughput_unit,

        -- platform
        {{ text('platform') }} as hardware,
        'rknn' as framework,

        -- result
        case trimmed(cell) when '/' then 'error' else 'ok' end as status,
        {{ metrics({
            'throughput': "case when " ~ text('heading') ~ " ilike '%fps%' then number_of(frames.value) end",
            'real_time_factor': 'number_of(real_time_factor)',
        }) }} as metrics,
        case trimmed(cell) when '/' then 'not supported' end as notes,

        list_concat(
            {{ unreadable() }},
            list_filter(
                [
                    case when {{ text('heading') }} not ilike '%fps%' then 'the heading states no unit that is known: ' || {{ text('heading') }} end,
                    case when cleaned(cell) is not null and number_of(frames.value) is null and number_of(real_time_factor) is null
                        then 'the result is not a number: ' || cell end,
                ],
                lambda reason: reason is not null
            )
        ) as problems
    from source

)

select * from renamed
