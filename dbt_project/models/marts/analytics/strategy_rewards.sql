select
    build_id,
    objective,
    strategy,
    tests,
    measured,
    variance_removed,
    regret_removed,
    reward
from {{ source('ml', 'strategy_rewards') }}
