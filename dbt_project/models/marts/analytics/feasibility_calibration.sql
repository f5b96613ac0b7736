select
    low as probability_from,
    high as probability_to,
    predicted as mean_probability,
    observed as share_that_ran,
    n as configurations
from {{ source('ml', 'feasibility') }}
