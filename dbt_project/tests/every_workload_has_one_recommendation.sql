select workload_id, objective, count(*) filter (where rank = 1) as recommendations
from {{ ref('hardware_recommendations') }}
group by all
having recommendations != 1
