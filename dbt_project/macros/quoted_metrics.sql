{#-
    The metrics are data: their names are read from the metrics table when a model is compiled, and come
    quoted, as a `text` and as a `column`. The model says that it depends on int_metrics.
-#}
{% macro quoted_metrics() -%}
    {%- set metrics = [] -%}
    {%- if execute -%}
        {%- for name in run_query('select metric from ' ~ ref('int_metrics') ~ ' order by metric').columns[0].values() -%}
            {%- do metrics.append({
                'text': "'" ~ name | replace("'", "''") ~ "'",
                'column': '"' ~ name | replace('"', '""') ~ '"',
            }) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(metrics) }}
{%- endmacro %}
