{#- Readers of the landing payload: a map from column name to text, as published. -#}

{% macro text(column) -%}
    cleaned(payload['{{ column }}'])
{%- endmacro %}

{% macro number(column) -%}
    number_of(payload['{{ column }}'])
{%- endmacro %}

{% macro count(column) -%}
    count_of(payload['{{ column }}'])
{%- endmacro %}

{#- What could not be read in a row: a list of reasons, empty where all is well. -#}
{% macro unreadable(numbers=[], counts=[], quantities=[]) -%}
    list_filter(
        [
            payload['__problem'],
            {%- for column in numbers %}
            case when {{ text(column) }} is not null and {{ number(column) }} is null
                then '{{ column }} is not a number: ' || {{ text(column) }} end,
            {%- endfor %}
            {%- for column in counts %}
            case when {{ text(column) }} is not null and {{ count(column) }} is null
                then '{{ column }} is not a whole number: ' || {{ text(column) }} end,
            {%- endfor %}
            {%- for quantity in quantities %}
            {{ quantity }}.problem,
            {%- endfor %}
        ],
        lambda reason: reason is not null
    )
{%- endmacro %}

{#- Metrics of a row as a map; those that the source leaves out are left out. -#}
{% macro metrics(values) -%}
    map_from_entries(list_filter(
        [
            {%- for metric, value in values.items() %}
            {'k': '{{ metric }}', 'v': {{ value }}},
            {%- endfor %}
        ],
        lambda entry: entry.v is not null
    ))
{%- endmacro %}
