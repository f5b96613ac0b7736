with unioned as (

    select * from {{ ref('stg_benchmart__runs') }}
    union all by name
    select * from {{ ref('stg_llm_inference_bench__results') }}
    union all by name
    select * from {{ ref('stg_llm_inference_bench__ttft') }}
    union all by name
    select * from {{ ref('stg_timm__runs') }}

)

select
    md5(concat_ws('|', file, line, row_hash)) as measurement_id,
    *
from unioned
