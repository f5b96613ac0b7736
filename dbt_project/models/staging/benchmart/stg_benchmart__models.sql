with source as (

    select * from {{ source('raw', 'benchmart_models') }}

),

renamed as (

    select
        {{ text('model_name') }} as model_name,
        {{ text('model_type') }} as model_type,
        {{ text('model_family') }} as model_family,
        {{ number('parameters_million') }} as parameters_million,
        {{ number('active_parameters_million') }} as active_parameters_million,
        {{ number('embedding_parameters_million') }} as embedding_parameters_million,
        {{ number('layers') }} as layers,
        {{ number('hidden_size') }} as hidden_size,
        {{ number('heads') }} as heads,
        {{ number('kv_heads') }} as kv_heads,
        {{ number('vocabulary_size') }} as vocabulary_size,
        {{ count('image_size') }} as image_size,
        {{ number('gmacs') }} as gmacs,
        {{ number('activations_million') }} as activations_million,
        file as fact_source
    from source
    where {{ text('model_name') }} is not null
    qualify row_number() over (partition by model_name, image_size order by file desc, line desc) = 1

)

select * from renamed
