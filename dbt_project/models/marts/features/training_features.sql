{#- The metrics are data: their columns are read from the metrics table when the model is compiled. -#}
-- depends_on: {{ ref('int_metrics') }}
{%- set metrics = run_query('select metric from ' ~ ref('int_metrics') ~ ' order by metric').columns[0].values() if execute else [] -%}
{{ config(post_hook="{{ create_describe_configurations() }}") }}

with runs as (

    select * from {{ ref('int_runs__judged') }}
    where verdict = 'accepted' and status = 'ok'

)

select
    * exclude (metrics, verdict, rule, reason, row_hash, line, file, notes, status, run_id, repeated_key, submitter,
        ran_on, simulated, stated_device_count, zero_metrics, published_hardware, published_model_name)
    {%- for metric in metrics %},
    metrics['{{ metric | replace("'", "''") }}'] as "{{ metric | replace('"', '""') }}"
    {%- endfor %}
from runs
order by measurement_id
