with banded as (

    select
        *,
        least(floor(10 * probability), 9) / 10 as band
    from {{ source('ml', 'feasibility') }}

)

select
    band as probability_from,
    round(band + 0.1, 1) as probability_to,
    avg(probability) as mean_probability,
    avg(cast(ran as double)) as share_that_ran,
    count(*) as configurations
from banded
group by band
order by band
