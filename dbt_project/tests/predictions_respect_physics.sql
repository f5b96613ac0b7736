-- a part in a million is rounding between logarithm and value
select *
from {{ ref('predictions') }}
where
    case
        when metric in ('throughput', 'power_w') then p95 > bound * (1 + 1e-6)
        else p05 < bound * (1 - 1e-6)
    end
