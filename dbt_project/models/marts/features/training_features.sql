-- depends_on: {{ ref('int_metrics') }}
{#-
    `sample_rank` is the order in which models take rows, where there are more than they learn from. What was
    recorded for a plan comes first. Then strata of a device, a comparable group and what is measured take
    turns: rare devices are learned whole, and common ones give equally many. In each the newest run of every
    configuration comes before the second newest of any, but one configuration in sixteen brings two: repeats
    are the noise estimate. Of more repeats than a configuration is learned with, none comes before all others.
    Chance decides the rest, by the hash of the configuration: a new run replaces an older one of its own.
-#}
{{ config(post_hook="{{ create_describe_configurations() }}") }}

with derived as (

    select source, comparable_group, list(metric) as derived_metrics
    from {{ ref('int_metrics__derived') }}
    group by all

),

repeats as (

    select
        measurement_id,
        config_id,
        hardware,
        comparable_group,
        starts_with(file, 'recorded/') as is_recorded,
        array_to_string(list_sort(map_keys(metrics)), '|') as measured,
        row_number() over (partition by config_id, measured order by {{ newest_first() }}) as repeat
    from {{ ref('int_runs__judged') }}
    where verdict = 'accepted' and status = 'ok'

),

turns as (

    select
        measurement_id,
        config_id,
        is_recorded,
        repeat,
        row_number() over (
            partition by hardware, comparable_group, measured
            order by case when repeat = 2 and starts_with(config_id, '0') then 1 else repeat end, config_id, repeat
        ) as turn
    from repeats

),

ranked as (

    select
        measurement_id,
        row_number() over (
            order by is_recorded desc, repeat > {{ var('most_repeats') }}, turn, config_id, measurement_id
        ) as sample_rank
    from turns

),

runs as (

    select
        judged.* replace (
            -- energy is a product of two quantities that vary together: learned as one, it is calibrated as one
            case when not map_contains(judged.metrics, 'energy_j') and judged.concurrency = 1
                    and judged.metrics['power_w'] > 0 and judged.metrics['latency_ms'] > 0
                then map_concat(judged.metrics,
                    map {'energy_j': judged.metrics['power_w'] * judged.metrics['latency_ms'] / 1000})
                else judged.metrics
            end as metrics
        ),
        list_contains(coalesce(derived.derived_metrics, []), 'latency_ms') as latency_ms_is_derived,
        ranked.sample_rank,
    from {{ ref('int_runs__judged') }} as judged
    inner join ranked using (measurement_id)
    left join derived using (source, comparable_group)

)

select
    * exclude ({{ provenance_columns() }})
    {%- for metric in quoted_metrics() %},
    metrics[{{ metric.text }}] as {{ metric.column }}
    {%- endfor %}
from runs
