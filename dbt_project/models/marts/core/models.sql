select
    model_name,
    resolution,
    model_type,
    model_family,
    parameters_million,
    active_parameters_million,
    layers,
    hidden_size,
    heads,
    kv_heads,
    vocabulary_size,
    gmacs,
    activations_million,
    fact_source
from {{ ref('int_models') }}
union all by name
select
    model_name,
    '*' as resolution,
    coalesce(min(model_type) filter (where model_type != 'unstated'), 'unstated') as model_type
from {{ ref('int_runs__judged') }}
where verdict = 'accepted'
    and model_name not in (select model_name from {{ ref('int_models') }})
group by model_name
