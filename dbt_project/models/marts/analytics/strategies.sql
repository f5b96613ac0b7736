select
    objective,
    strategy,
    decision_share,
    prior,
    rounds,
    worth,
    bound,
    chosen,
    reason,
    information_gain_weight,
    hardware_weight,
    weights_reason
from {{ source('ml', 'strategies') }}
