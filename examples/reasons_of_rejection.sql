-- Why were rows rejected, and what is an example of each kind?
select rule, description, rows_rejected, any_value(reason) as example
from quality_rules
left join rejected_measurements using (rule)
group by all
order by rows_rejected desc;
