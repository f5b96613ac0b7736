{#- Columns of judged runs that say where a row is from and what became of it: nothing to learn from. -#}
{% macro provenance_columns() -%}
    metrics, verdict, rule, reason, row_hash, line, file, notes, status, run_id, repeated_key, submitter, ran_on,
    simulated, stated_device_count, zero_metrics, published_hardware, published_model_name, failed_batch_size
{%- endmacro %}
