select metric, model_version, build_id, run_id, is_champion, rows, median_ape, coverage_90, worst_hardware_coverage_90, interval_score_90, reason
from analytics.model_comparison
order by build_id desc, metric
limit 30
