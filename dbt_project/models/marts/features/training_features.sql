{#- The metrics are data: their columns are read from the metrics table when the model is compiled. -#}
-- depends_on: {{ ref('int_metrics') }}
{%- set metrics = run_query('select metric from ' ~ ref('int_metrics') ~ ' order by metric').columns[0].values() if execute else [] -%}
{{ config(post_hook="{{ create_describe_configurations() }}") }}

with derived as (

    select source, comparable_group, list(metric) as derived_metrics
    from {{ ref('int_metrics__derived') }}
    group by all

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
    from {{ ref('int_runs__judged') }} as judged
    left join derived using (source, comparable_group)
    where verdict = 'accepted' and status = 'ok'

)

select
    * exclude ({{ provenance_columns() }})
    {%- for metric in metrics %},
    metrics['{{ metric | replace("'", "''") }}'] as "{{ metric | replace('"', '""') }}"
    {%- endfor %}
from runs
order by measurement_id
