-- What have we measured on each device, and how old is it?
select hardware, configurations_measured, configurations_open, models_measured, frameworks, last_measured_at
from hardware_overview
order by configurations_open desc;
