with rules as (

    {% for rule, description, _ in quality_rules() -%}
    select {{ loop.index }} as priority, '{{ rule }}' as rule, '{{ description }}' as description
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

rejected as (

    select rule, count(*) as rows_rejected
    from {{ ref('int_runs__judged') }}
    where verdict = 'rejected'
    group by rule

)

select
    rules.priority,
    rules.rule,
    rules.description,
    coalesce(rejected.rows_rejected, 0) as rows_rejected
from rules
left join rejected using (rule)
order by rules.priority
