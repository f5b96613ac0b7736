{#- The order of the runs of a configuration: by version, then by date; the identifier tells equal ones apart. -#}
{% macro newest_first() -%}
    framework_version_number desc nulls last, measured_at desc nulls last, measurement_id desc
{%- endmacro %}
