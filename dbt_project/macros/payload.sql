{#- Readers of the landing payload: a map from column name to text, as published. -#}

{#- Spellings of 'nothing' are nothing. -#}
{% macro text(column) -%}
    {{ filled("payload['" ~ column ~ "']") }}
{%- endmacro %}

{% macro filled(value) -%}
    case when lower(trim({{ value }})) not in ('', 'n/a', 'na', 'nan', 'null', 'none', '-', '/') then trim({{ value }}) end
{%- endmacro %}

{% macro number(column) -%}
    try_cast({{ text(column) }} as double)
{%- endmacro %}

{#- Counts are whole numbers; '8.0' is one, '8.5' is reported as unreadable. -#}
{% macro count(column) -%}
    case when {{ number(column) }} = floor({{ number(column) }}) then try_cast({{ number(column) }} as bigint) end
{%- endmacro %}

{#- What could not be read in a row: a list of reasons, empty where all is well. -#}
{% macro unreadable(numbers=[], counts=[]) -%}
    list_filter(
        [
            payload['__ragged'],
            {%- for column in numbers %}
            case when {{ text(column) }} is not null and {{ number(column) }} is null
                then '{{ column }} is not a number: ' || {{ text(column) }} end,
            {%- endfor %}
            {%- for column in counts %}
            case when {{ text(column) }} is not null and ({{ count(column) }}) is null
                then '{{ column }} is not a whole number: ' || {{ text(column) }} end,
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
