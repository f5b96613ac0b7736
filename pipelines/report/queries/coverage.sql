select metric, group_name as device, 100 * coverage as coverage, n
from analytics.calibration
where nominal = 0.9 and group_kind in ('overall', 'hardware')
qualify row_number() over (partition by metric order by group_kind desc, n desc) <= 25
order by metric, group_kind desc, coverage
