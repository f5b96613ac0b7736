select
    build_id,
    metric,
    model_version,
    run_id,
    is_champion,
    serving_version,
    reason,
    rows::bigint as rows,
    median_ape,
    coverage_90,
    coverage_80,
    worst_hardware_coverage_90,
    interval_score_90,
    skill_90,
    case when not isnan(repeat_noise) then repeat_noise end as repeat_noise
from {{ source('ml', 'models') }}
