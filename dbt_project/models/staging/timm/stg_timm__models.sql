{#- Facts that the benchmark tables repeat on every row; files differ in which ones they have. -#}
with source as (

    select * from {{ source('raw', 'timm') }}

),

renamed as (

    select
        {{ text('model') }} as model_name,
        coalesce({{ count('infer_img_size') }}, {{ count('train_img_size') }}) as image_size,
        'vision' as model_type,
        regexp_extract(
            regexp_replace({{ text('model') }}, '^(tf|cs\d*|legacy|dm|eca|gc|sk|test|nf)_', ''), '^[a-z]+'
        ) as model_family,
        max({{ number('param_count') }}) as parameters_million,
        max({{ number('infer_gmacs') }}) as gmacs,
        max({{ number('infer_macts') }}) as activations_million,
        'timm benchmark tables' as fact_source
    from source
    where {{ text('model') }} is not null
    group by all

)

select * from renamed
