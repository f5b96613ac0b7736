{#- Rows of earlier builds stay: each build starts from a copy of the published database. -#}
{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns') }}

with files as (

    select * from {{ source('raw', 'files') }}
    where runs_read > 0

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

-- one who submits most of a table decides what is learned from it
contributors as (

    select
        file,
        arg_max(submitter, (rows, submitter)) as largest_contributor,
        max(rows) / sum(rows) as largest_contributor_share
    from (
        select file, submitter, count(*) as rows
        from judged
        where verdict = 'accepted' and submitter is not null
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
        sum(len(zero_metrics)) as zeros_dropped,
        list(distinct published_hardware order by published_hardware) filter (where not hardware_known) as unknown_hardware,
        list(distinct published_model_name order by published_model_name) filter (where not model_known) as unknown_models,
        list(distinct precision order by precision) filter (where not precision_known) as unknown_precisions
    from judged
    group by file

)

select
    (select max(build_id) from {{ source('ml', 'builds') }}) as build_id,
    files.source,
    files.file,
    files.runs_read as rows_read,
    coalesce(counted.rows_accepted, 0) as rows_accepted,
    coalesce(counted.rows_rejected, 0) as rows_rejected,
    coalesce(counted.rows_duplicate, 0) as rows_duplicate,
    coalesce(counted.rows_failed_runs, 0) as rows_failed_runs,
    coalesce(rules.rejected_by_rule, map {}) as rejected_by_rule,
    coalesce(counted.unknown_hardware, []) as unknown_hardware,
    coalesce(counted.unknown_models, []) as unknown_models,
    coalesce(counted.unknown_precisions, []) as unknown_precisions,
    coalesce(counted.zeros_dropped, 0)::bigint as zeros_dropped,
    contributors.largest_contributor,
    contributors.largest_contributor_share,
    files.loaded_at
from files
left join counted using (file)
left join rules using (file)
left join contributors using (file)
