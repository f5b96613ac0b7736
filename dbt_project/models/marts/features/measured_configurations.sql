{%- set metrics = quoted_metrics() -%}
-- depends_on: {{ ref('int_metrics') }}
with runs as (

    select * replace (coalesce(framework_version_number, '-infinity'::double) as framework_version_number)
    from {{ ref('training_features') }}

),

newest as (

    select measurement_id
    from {{ ref('training_features') }}
    qualify row_number() over (partition by config_id order by {{ newest_first() }}) = 1

),

newest_versions as (

    select
        config_id
        {%- for metric in metrics %},
        max(framework_version_number) filter ({{ metric.column }} is not null) as {{ metric.column }}
        {%- endfor %}
    from runs
    group by config_id

),

-- sums depend on their order in the last digit, and the order on how many threads there are
measured as (

    select
        runs.config_id
        {%- for metric in metrics %},
        exp(list_avg(list_sort(list(ln(runs.{{ metric.column }})) filter (
            runs.framework_version_number = newest_versions.{{ metric.column }}
        )))) as {{ metric.column }}
        {%- endfor %}
    from runs
    inner join newest_versions using (config_id)
    group by runs.config_id

)

select
    training.* exclude (sample_rank) replace (
        {%- for metric in metrics %}
        measured.{{ metric.column }} as {{ metric.column }},
        {%- endfor %}
    )
from {{ ref('training_features') }} as training
inner join newest using (measurement_id)
inner join measured using (config_id)
order by training.workload_id, training.config_id
