{#- The unit of a metric; throughput's is stated by the row. -#}
{% macro unit_of(metric_unit, throughput_unit) -%}
    case when {{ metric_unit }} = 'throughput_unit' then {{ throughput_unit }} else {{ metric_unit }} end
{%- endmacro %}
