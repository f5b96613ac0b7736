-- What did the last builds read and learn, how long did they take, and what did they warn of?
select build_id, raw_rows, metrics, refused, list_sum(map_values(seconds)) as seconds, warnings
from builds
order by build_id desc
limit 10;
