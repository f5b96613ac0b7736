{#-
    Metrics that a table works out from others instead of measuring them: an identity holds in nearly
    all rows to a fraction of a percent. Latency of this kind is not learned a second time.
-#}
with runs as (

    select * from {{ ref('int_runs__judged') }}
    where verdict = 'accepted' and status = 'ok'

),

identities as (

    select source, comparable_group, 'latency_ms' as metric, 'throughput' as derived_from,
        metrics['latency_ms'] / (1000 * batch_work * concurrency / metrics['throughput']) as ratio
    from runs
    union all by name
    select source, comparable_group, 'energy_j' as metric, 'power_w, latency_ms' as derived_from,
        metrics['energy_j'] / (metrics['power_w'] * metrics['latency_ms'] / 1000) as ratio
    from runs
    union all by name
    select source, comparable_group, 'energy_per_sample_j' as metric, 'power_w, throughput' as derived_from,
        metrics['energy_per_sample_j'] / (metrics['power_w'] / metrics['throughput']) as ratio
    from runs

)

select
    source,
    comparable_group,
    metric,
    derived_from,
    count(*) as rows_compared,
    avg(cast(abs(ln(ratio)) < {{ var('derived_tolerance') }} as double)) as share_equal
from identities
where ratio > 0
group by source, comparable_group, metric, derived_from
having rows_compared >= 10 and share_equal >= {{ var('derived_share') }}
