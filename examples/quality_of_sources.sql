-- What became of the rows that were loaded, and what does nobody know the names of?
select source, file, rows_read, rows_accepted, rows_rejected, rows_duplicate, unknown_hardware, unknown_models
from data_quality
where build_id = (select max(build_id) from builds)
order by rows_rejected desc, file;
