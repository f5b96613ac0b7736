-- Do the 90 % intervals keep their promise on every device?
select metric, group_kind, group_name, round(100 * coverage, 1) as coverage_percent, n
from calibration
where nominal = 0.9
order by metric, group_kind desc, coverage;
