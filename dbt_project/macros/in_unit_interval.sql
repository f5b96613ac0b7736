{% test in_unit_interval(model, columns) %}

{% for column in columns %}
select '{{ column }}' as column_name, {{ column }} as outside
from {{ model }}
where {{ column }} is null or not {{ column }} between 0 and 1
{{ "union all" if not loop.last }}
{% endfor %}

{% endtest %}
