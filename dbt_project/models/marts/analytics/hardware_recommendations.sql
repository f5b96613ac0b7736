select
    options.workload_id,
    configurations.workload,
    configurations.configuration,
    options.config_id,
    options.objective,
    options.rank,
    configurations.hardware,
    configurations.device_count,
    configurations.framework,
    configurations.options,
    options.hardware_score,
    options.prob_best,
    options.expected_regret,
    options.p05,
    options.p50,
    options.p95,
    {{ unit_of('definitions.unit', 'configurations.throughput_unit') }} as unit,
    options.measured_value is not null as measured,
    options.in_domain,
    options.prob_feasible
from {{ source('ml', 'hardware_options') }} as options
inner join {{ ref('configurations') }} as configurations using (config_id)
left join {{ ref('metric_definitions') }} as definitions
    on options.metric = definitions.metric
