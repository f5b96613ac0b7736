with source as (

    select * from {{ source('raw', 'benchmark_framework_models') }}

),

renamed as (

    select
        coalesce({{ text('model_name') }}, {{ text('model_id') }}) as model_name,
        {{ text('modality') }} as model_type,
        {{ text('model_family') }} as model_family,
        {{ number('parameters_million') }} as parameters_million,
        file as fact_source
    from source
    where coalesce({{ text('model_name') }}, {{ text('model_id') }}) is not null
    qualify row_number() over (partition by model_name order by file desc, line desc) = 1

)

select * from renamed
