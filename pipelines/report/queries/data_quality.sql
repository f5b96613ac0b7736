select
    source,
    file,
    rows_read,
    rows_accepted,
    rows_rejected,
    rows_duplicate,
    len(unknown_hardware) + len(unknown_models) + len(unknown_precisions) as unknown_names,
    loaded_at,
from analytics.data_quality
where build_id = (select max(build_id) from analytics.builds)
order by rows_rejected desc, file
limit $most
