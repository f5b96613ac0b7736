select
    hardware,
    comparable_group,
    measurements,
    configurations,
    measurements_learned,
    configurations_learned
from {{ source('ml', 'training_sample') }}
