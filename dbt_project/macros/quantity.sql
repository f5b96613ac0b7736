{#-
    A quantity whose unit is part of the header, 'Avg TPOT (s)', 'latency [ms]' or 'inference_time_us', or
    of the cell itself, '12.5 ms'; without any it is in the bare unit. Gives a struct: `value` in the
    wanted unit, and `problem` where the cell cannot be read.
-#}
{% macro quantity(name, bare_unit, wanted) -%}
{%- set units = units_like(wanted) -%}
    list_transform(
        list_transform(
            list_filter(
                list_transform(map_entries(payload), lambda cell: {
                    'column': cell.key,
                    'text': cleaned(cell.value),
                    'header': regexp_extract(cell.key,
                        '(?i)^({{ regex_literal(name) }}) *(?:[(\[] *([^)\]]*?) *[)\]]|_({{ units | join('|') }}))? *$',
                        ['name', 'stated', 'suffix']),
                }),
                lambda cell: cell.header.name != '' and cell.text is not null
            ),
            lambda cell: {
                'column': cell.column,
                'text': cell.text,
                'value': {{ converted('cell.text', "coalesce(nullif(cell.header.stated || cell.header.suffix, ''), '" ~ bare_unit ~ "')", wanted) }},
            }
        ),
        lambda cell: {
            'value': cell.value,
            'problem': case when cell.value is null
                then cell.column || ' is not a number of {{ wanted }}: ' || cell.text
            end,
        }
    )[1]
{%- endmacro %}

{#- The number in a text, by the unit that the text states itself, or else by the given one. -#}
{% macro converted(text, unit, wanted) -%}
    coalesce({{ scaled("number_of(" ~ text ~ ")", unit, wanted) }}, {{ in_own_unit(text, wanted) }})
{%- endmacro %}

{#- '12.5 ms' and the like. -#}
{% macro in_own_unit(text, wanted) -%}
    {{ scaled(
        "number_of(regexp_extract(" ~ text ~ ", '^([+-]?[\d.,]+(?:[eE][+-]?\d+)?)\s*[^\d\s].*$', 1))",
        "regexp_extract(" ~ text ~ ", '^[+-]?[\d.,]+(?:[eE][+-]?\d+)?\s*([^\d\s].*)$', 1)",
        wanted,
    ) }}
{%- endmacro %}

{#-
    Times and divided by whole numbers: 5645 us are 5.645 ms, not 5.6450000000000005. Units are read in any
    case, but for those that mean something else in capitals: a MJ is no mJ, a Gb no GB.
-#}
{% macro scaled(number, unit, wanted) -%}
    list_transform(
        [map {
            {%- for unit, (times, per) in known_units()[wanted].items() -%}
            '{{ unit }}': [{{ times }}, {{ per }}]{{ ', ' if not loop.last }}
            {%- endfor -%}
        }[case when not regexp_matches({{ unit }}, '^(M[JW]|[KMG]b)$') then lower(replace({{ unit }}, 'µ', 'u')) end]],
        lambda ratio: {{ number }} * ratio[1] / ratio[2]
    )[1]
{%- endmacro %}

{% macro units_like(wanted) -%}
{{ return(known_units()[wanted].keys() | list) }}
{%- endmacro %}

{% macro regex_literal(text) -%}
{{ return(modules.re.escape(text) | replace("\\ ", " ")) }}
{%- endmacro %}

{#- Units by the one that is wanted: a unit is `times / per` of it. -#}
{% macro known_units() -%}
{{ return({
    'ms': {'ms': (1, 1), 'milliseconds': (1, 1), 'millisecond': (1, 1), 'msec': (1, 1), 'p50 in ms': (1, 1),
        's': (1000, 1), 'sec': (1000, 1), 'seconds': (1000, 1), 'second': (1000, 1),
        'us': (1, 1000), 'microseconds': (1, 1000), 'ns': (1, 1000000), 'nanoseconds': (1, 1000000)},
    'MB': {'mb': (1, 1), 'megabytes': (1, 1), 'bytes': (1, 1000000), 'byte': (1, 1000000), 'b': (1, 1000000), 'kb': (1, 1000),
        'gb': (1000, 1), 'gigabytes': (1000, 1), 'kib': (1024, 1000000), 'mib': (1048576, 1000000), 'gib': (1073741824, 1000000)},
    'W': {'w': (1, 1), 'watt': (1, 1), 'watts': (1, 1), 'mw': (1, 1000), 'milliwatts': (1, 1000), 'kw': (1000, 1)},
    'J': {'j': (1, 1), 'joule': (1, 1), 'joules': (1, 1), 'mj': (1, 1000), 'millijoules': (1, 1000), 'kj': (1000, 1),
        'wh': (3600, 1), 'kwh': (3600000, 1)},
    'tok/s': {'tok/s': (1, 1), 'tokens/s': (1, 1), 'token/s': (1, 1), 'tokens/sec': (1, 1), 'tokens/second': (1, 1), 'ktok/s': (1000, 1)},
}) }}
{%- endmacro %}
