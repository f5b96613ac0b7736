with planned as (

    select scored.*, configurations.* exclude (config_id)
    from {{ source('ml', 'scored_candidates') }} as scored
    inner join {{ ref('configurations') }} as configurations using (config_id)
    where batch_order <= {{ var('diagnosed_tests') }}

),

objectives as (

    select distinct metric, objective
    from {{ source('ml', 'hardware_options') }}
    inner join (select distinct metric from {{ source('ml', 'calibration') }}) using (metric)

),

-- a plan

scores as (

    select
        objective,
        median(combined_score) as low_scores,
        avg(cast(serves = 'accuracy' as integer)) as for_accuracy,
        avg(cast(not hardware_match as integer)) as mismatched_tests,
        avg(cast(serves = 'accuracy' as integer)) filter (not hardware_match) as accuracy_before_decisions,
        median(diversity) as low_diversity,
    from planned
    group by all

),

repeated as (

    select later.objective, count(distinct later.config_id) as tests
    from planned as later
    inner join planned as earlier
        using (objective, comparable_group, model_name, hardware, device_count, framework, options, precision)
    where earlier.batch_order < later.batch_order
        {%- for number in ['batch_size', 'input_length', 'output_length', 'image_size', 'concurrency'] %}
        and coalesce(
            later.{{ number }} between earlier.{{ number }} / 2 and earlier.{{ number }} * 2,
            later.{{ number }} is not distinct from earlier.{{ number }}
        )
        {%- endfor %}
    group by all

),

duplicates as (

    select objective, coalesce(any_value(repeated.tests), 0) / count(*) as near_duplicates
    from planned
    left join repeated using (objective)
    group by all

),

undecided as (

    select objective, avg(cast(prob_best < 0.8 as integer)) as share
    from {{ source('ml', 'hardware_options') }}
    where rank = 1
    group by all

),

of_plan as (

    unpivot (
        select
            objective,
            low_scores,
            case when undecided.share > 0.1 then for_accuracy end as too_much_exploration,
            mismatched_tests,
            accuracy_before_decisions,
            near_duplicates,
            low_diversity,
        from scores
        inner join duplicates using (objective)
        left join undecided using (objective)
    )
    on columns(* exclude objective)
    into name diagnostic value value

),

-- the predictor

widths as (

    select objective, 'too_little_data' as diagnostic, approx_quantile(p95 / p05, 0.5) as value
    from {{ source('ml', 'predictions') }}
    inner join objectives using (metric)
    where measured_value is null
    group by all

),

coverages as (

    -- of devices those that chance does not explain, by three standard deviations
    select objective, 'poor_calibration' as diagnostic, min(coverage) as value, arg_min(group_name, (coverage, group_name)) as subject
    from {{ source('ml', 'calibration') }}
    inner join objectives using (metric)
    where nominal = 0.9
        and (group_kind = 'overall' or (group_kind = 'hardware' and coverage < 0.9 - 3 * sqrt(0.09 / n)))
    group by all

),

held_out as (

    select
        metric,
        config_id,
        hardware,
        workload_id,
        case direction when 'higher' then 1 else -1 end as sign,
        exp(avg(ln(held_out.p50))) as predicted,
        exp(avg(ln(held_out.actual))) as actual,
    from {{ source('ml', 'held_out') }} as held_out
    inner join {{ ref('runs') }} as runs using (measurement_id)
    inner join {{ ref('metric_definitions') }} using (metric)
    group by all

),

biases as (

    select metric, hardware, median(actual / predicted) - 1 as bias
    from held_out
    group by all
    having count(*) >= 20

),

largest_biases as (

    select
        objective,
        'bias_by_hardware' as diagnostic,
        max(abs(bias)) as value,
        arg_max(hardware || format(' {:+.0f} %', 100 * bias), (abs(bias), hardware)) as subject,
    from biases
    inner join objectives using (metric)
    group by all

),

choices as (

    select
        metric,
        max(sign * ln(actual)) - arg_max(sign * ln(actual), (sign * ln(predicted), config_id)) as log_loss,
    from held_out
    group by metric, workload_id
    having count(distinct hardware) > 1

),

accuracies as (

    select objective, 'recommender_accuracy' as diagnostic, avg(cast(log_loss <= -ln(0.95) as integer)) as value
    from choices
    inner join objectives using (metric)
    group by all
    having count(*) >= 20

),

found as (

    from of_plan
    union all by name
    from widths
    union all by name
    from coverages
    union all by name
    from largest_biases
    union all by name
    from accuracies

),

judged as (

    select
        objective,
        rules.*,
        found.value,
        found.subject,
        coalesce(
            case raised_when when 'above' then found.value > threshold else found.value < threshold end, false
        ) as beyond,
    from (select distinct objective from objectives)
    cross join {{ ref('diagnostic_rules') }} as rules
    left join found using (objective, diagnostic)

)

select
    judged.objective,
    judged.place,
    judged.symptom,
    judged.diagnostic,
    judged.value,
    judged.threshold,
    judged.beyond and (not judged.only_with_it or symptoms.beyond) as raised,
    judged.meaning || coalesce(format(': {:.2f}', judged.value), ': not known')
        || coalesce(' (' || nullif(judged.subject, 'all') || ')', '') as finding,
    judged.advice
from judged
left join judged as symptoms
    on judged.objective = symptoms.objective and judged.cause_of = symptoms.diagnostic
