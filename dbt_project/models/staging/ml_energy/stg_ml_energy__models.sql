{#- Parameters in billions; of diffusion models also those of the denoiser. -#}
with source as (

    select * from {{ source('raw', 'ml_energy_models') }}

),

renamed as (

    select
        {{ text('model') }} as model_name,
        1000 * coalesce({{ number('params') }}, {{ number('total_params') }}) as parameters_million,
        1000 * {{ number('denoising_params') }} as active_parameters_million,
        'ML.ENERGY leaderboard' as fact_source
    from source
    where {{ text('model') }} is not null
    qualify row_number() over (partition by {{ text('model') }} order by file, line) = 1

)

select * from renamed
