{#- Leaves configuration_features in the database, for configurations that come later. -#}
{% macro create_describe_configurations() -%}
    create or replace macro features.describe_configurations(configurations) as table (
        {{ configuration_features("query_table(configurations)") }}
    )
{%- endmacro %}
