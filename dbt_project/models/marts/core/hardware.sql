select
    hardware,
    vendor,
    kind,
    memory_gb,
    memory_bandwidth_gbs,
    fp32_tflops,
    fp16_tflops,
    int8_tops,
    fp4_tops,
    tdp_w,
    interconnect_gbs,
    cache_mb,
    fact_source
from {{ ref('int_hardware') }}
union all by name
select distinct hardware
from {{ ref('int_runs__judged') }}
where verdict = 'accepted' and not hardware_known
