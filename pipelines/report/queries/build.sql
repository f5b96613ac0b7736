with candidates as (

    select objective, count(*) as candidates from analytics.scored_candidates group by all

),

runs as (

    select
        count(*) as measurements,
        count(distinct config_id) as configurations,
        count(distinct model_name) as models,
        count(distinct hardware) as devices,
    from core.runs
    where status = 'ok'

)

select
    build_id,
    started_at,
    raw_rows,
    raw_files,
    refused,
    warnings,
    git_commit,
    list_sum(map_values(seconds)) as seconds,
    runs.*,
    (select coalesce(max(candidates), 0) from candidates) as candidates,
    (
        select count(*)
        from analytics.hardware_recommendations
        where objective = $objective and rank = 1
    ) as workloads,
from analytics.builds
cross join runs
order by build_id desc
limit 1
