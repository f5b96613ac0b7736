{#- Repeats: the same configuration and version, measured more than once, with numbers that differ. -#}
with repeated as (

    select
        hardware,
        framework,
        metric,
        config_id,
        var_samp(ln(value)) as log_variance,
        count(*) as repeats
    from {{ ref('measurements') }}
    group by hardware, framework, metric, config_id, framework_version, source
    having count(*) > 1

)

select
    hardware,
    framework,
    metric,
    -- pooled over configurations, so that few of them with many repeats do not stand for all
    100 * sqrt(sum(log_variance * (repeats - 1)) / sum(repeats - 1)) as noise_percent,
    count(distinct config_id) as configurations,
    sum(repeats)::bigint as measurements
from repeated
group by all
