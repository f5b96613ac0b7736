select
    build_id,
    started_at,
    raw_rows,
    raw_files,
    objective,
    metrics,
    refused,
    warnings,
    git_commit,
    list_sum(map_values(seconds)) as seconds,
    (select count(*) from analytics.builds) as builds,
    (select count(distinct measurement_id) from analytics.measurements) as measurements,
    (select count(distinct config_id) from analytics.measurements) as configurations,
    (select count(distinct config_id) from analytics.scored_candidates) as candidates,
    (select count(distinct model_name) from analytics.measurements) as models,
    (select count(distinct hardware) from analytics.measurements) as devices,
from analytics.builds
order by build_id desc
limit 1
