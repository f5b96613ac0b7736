{% test in_unit_interval(model, column_name) %}

select {{ column_name }}
from {{ model }}
where {{ column_name }} is null or not {{ column_name }} between 0 and 1

{% endtest %}
