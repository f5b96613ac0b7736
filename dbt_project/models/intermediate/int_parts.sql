with workloads as (

    select workload_id from {{ ref('int_runs__judged') }} where verdict = 'accepted' and status = 'ok'
    union
    select workload_id from {{ ref('int_deployments') }}

),

numbered as (

    select workload_id, row_number() over (order by workload_id) as number from workloads

)

select workload_id
from numbered
where number % {{ var('workloads_of_a_part') }} = 0
