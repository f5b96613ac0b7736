-- so that a configuration is one row of `configurations`: ids of either are unique
select config_id
from {{ ref('candidate_features') }}
where config_id in (select config_id from {{ ref('measured_configurations') }})
