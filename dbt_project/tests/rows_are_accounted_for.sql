-- read = accepted + rejected + duplicate, file by file
select *
from {{ ref('data_quality') }}
where rows_read != rows_accepted + rows_rejected + rows_duplicate
