{{ config(materialized='view') }}

select
    file,
    line,
    objective,
    configuration,
    recommended_configuration,
    prob_loss,
    loss_percent_p05,
    loss_percent_p50,
    loss_percent_p95,
    money_per_hour_p05,
    money_per_hour_p50,
    money_per_hour_p95
from {{ ref('hardware_mismatches') }}
where kind = 'deployment' and loss_percent_p50 > 0
