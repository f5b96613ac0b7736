select hardware, measurements, configurations_measured, configurations_open, models_measured, last_measured_at
from analytics.hardware_overview
order by configurations_open desc, hardware
limit $most
