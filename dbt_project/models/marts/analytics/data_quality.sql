{#- Rows of earlier builds stay: each build starts from a copy of the published database. -#}
{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns') }}

with files as (

    select * from {{ source('raw', 'files') }}
    where landing_table in ('benchmart_runs', 'llm_inference_bench', 'timm')

),

judged as (

    select * from {{ ref('int_runs__judged') }}

),

rules as (

    select file, map_from_entries(list({'k': rule, 'v': rows})) as rejected_by_rule
    from (
        select file, rule, count(*) as rows
        from judged
        where verdict = 'rejected'
        group by all
    )
    group by file

),

counted as (

    select
        file,
        count(*) filter (where verdict = 'accepted') as rows_accepted,
        count(*) filter (where verdict = 'rejected') as rows_rejected,
        count(*) filter (where verdict = 'duplicate') as rows_duplicate,
        count(*) filter (where verdict = 'accepted' and status != 'ok') as rows_failed_runs,
        list(distinct hardware order by hardware) filter (where not hardware_known) as unknown_hardware,
        list(distinct model_name order by model_name) filter (where not model_known) as unknown_models
    from judged
    group by file

)

select
    (select max(build_id) from {{ source('ml', 'builds') }}) as build_id,
    case files.landing_table when 'benchmart_runs' then 'benchmart' else files.landing_table end as source,
    files.file,
    files.rows_read,
    coalesce(counted.rows_accepted, 0) as rows_accepted,
    coalesce(counted.rows_rejected, 0) as rows_rejected,
    coalesce(counted.rows_duplicate, 0) as rows_duplicate,
    coalesce(counted.rows_failed_runs, 0) as rows_failed_runs,
    coalesce(rules.rejected_by_rule, map {}) as rejected_by_rule,
    coalesce(counted.unknown_hardware, []) as unknown_hardware,
    coalesce(counted.unknown_models, []) as unknown_models
from files
left join counted using (file)
left join rules using (file)
