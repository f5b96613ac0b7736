-- Do the predictions get better from build to build?
select build_id, metric, model_version, is_champion, rows, median_ape, coverage_90, interval_score_90, reason
from model_comparison
order by metric, build_id;
