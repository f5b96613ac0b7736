-- Which configurations may fail, by out of memory or otherwise?
select distinct configuration, prob_feasible
from predictions
where prob_feasible < 0.9
order by prob_feasible
limit 20;
