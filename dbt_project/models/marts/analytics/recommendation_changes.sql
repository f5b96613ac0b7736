select
    build_id,
    objective,
    workload_id,
    workload,
    previous_platform,
    previous_prob_best,
    platform,
    prob_best,
    regret_avoided
from {{ source('ml', 'recommendation_changes') }}
