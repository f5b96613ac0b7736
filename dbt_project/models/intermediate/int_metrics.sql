with user_metrics as (

    select * from {{ ref('stg_benchmark__metrics') }}

),

known as (

    select * from user_metrics
    union all by name
    select * from {{ ref('metrics') }}
    where metric not in (select metric from user_metrics)

)

select * from known
