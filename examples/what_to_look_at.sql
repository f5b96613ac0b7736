-- Is anything wrong with the plan or the predictor, and what should we do about it?
select objective, symptom, diagnostic, raised, finding, advice
from diagnostics
order by raised desc, objective, place;
