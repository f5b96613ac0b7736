select symptom, finding, advice
from analytics.diagnostics
where objective = $objective and raised
order by place
