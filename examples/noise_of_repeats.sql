-- How much do repeats of the same test differ?
select hardware, framework, metric, round(noise_percent, 1) as noise_percent, configurations, measurements
from measurement_noise
order by noise_percent desc;
