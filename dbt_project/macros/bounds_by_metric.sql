{#- The bounds of configuration_features as a map from metric to bound. -#}
{% macro bounds_by_metric() -%}
    map_from_entries(list_filter([
        {%- for metric in ['throughput', 'latency_ms', 'ttft_ms', 'itl_ms', 'memory_mb', 'power_w'] %}
        {'k': '{{ metric }}', 'v': bound_{{ metric }}},
        {%- endfor %}
    ], lambda entry: entry.v is not null))
{%- endmacro %}
