{#-
    What makes a row unbelievable: an expression each that gives the reason, or nothing. A row is
    rejected for the first rule it breaks, in this order.
-#}
{% macro quality_rules() -%}
{{ return([
    ('unreadable', 'A value cannot be read', rule_unreadable()),
    ('simulated', 'The row was simulated, not measured', rule_simulated()),
    ('missing_required', 'Model, hardware or batch size is not stated', rule_missing_required()),
    ('unknown_status', 'The status is none of ok, oom and error', rule_unknown_status()),
    ('contradictory_devices', 'Columns of the row disagree about the number of devices', rule_contradictory_devices()),
    ('zero_means_missing', 'All metrics are zero: missing, or rounded away', rule_zero_means_missing()),
    ('no_metric', 'A successful run without a metric', rule_no_metric()),
    ('out_of_range', 'A count, length or metric is impossible in itself', rule_out_of_range()),
    ('unit_sanity', 'Two quantities disagree as if a unit were wrong', rule_unit_sanity()),
    ('silent_fallback', 'It ran on another processor than the one that it is stated for', rule_silent_fallback()),
    ('beats_roofline', 'Faster than arithmetic and memory of the hardware allow', rule_beats_roofline()),
    ('impossible_scaling', 'Far more per device than on fewer devices', rule_impossible_scaling()),
]) }}
{%- endmacro %}

{% macro rule_unreadable() -%}
    case when len(problems) > 0 then array_to_string(problems, '; ') end
{%- endmacro %}

{% macro rule_simulated() -%}
    case when simulated is not null then 'simulated: ' || simulated end
{%- endmacro %}

{#- Published tables may leave the batch size to the one who ran them; the native format states it. -#}
{% macro rule_missing_required() -%}
    case
        when model_name is null then 'model_name is empty'
        when hardware is null then 'hardware is empty'
        when batch_size is null and source = 'benchmart' then 'batch_size is empty'
    end
{%- endmacro %}

{% macro rule_unknown_status() -%}
    case when status not in ('ok', 'oom', 'error') then 'status must be ok, oom or error, got ' || status end
{%- endmacro %}

{% macro rule_contradictory_devices() -%}
    case when stated_device_count != device_count
        then printf('%d devices by count, %d by name', device_count, stated_device_count)
    end
{%- endmacro %}

{% macro rule_zero_means_missing() -%}
    case when status = 'ok' and cardinality(metrics) = 0 and len(zero_metrics) > 0
        then array_to_string(zero_metrics, ', ') || ': zero stands for a missing value'
    end
{%- endmacro %}

{% macro rule_no_metric() -%}
    case when status = 'ok' and cardinality(metrics) = 0 then 'no metric has a value' end
{%- endmacro %}

{% macro rule_out_of_range() -%}
    case
        when batch_size < 1 then 'batch_size must be at least 1, got ' || batch_size
        when device_count < 1 then 'device_count must be at least 1, got ' || device_count
        when concurrency < 1 then 'concurrency must be at least 1, got ' || concurrency
        when least(input_length, image_size) < 1 or output_length < 0 then 'lengths and sizes must be positive'
        when status = 'ok' and len(list_filter(map_values(metrics), lambda v: not isfinite(v) or v <= 0)) > 0
            then 'metrics must be positive and finite, got ' || cast(metrics as varchar)
    end
{%- endmacro %}

{#- Throughput times latency is the work of a batch, but for batches in flight: a factor of a thousand is a unit. -#}
{% macro rule_unit_sanity() -%}
    case
        when abs(round(log10(metrics['throughput'] * metrics['latency_ms'] / 1000 / (batch_work * concurrency)) / 3)) >= 1
            and abs(log10(metrics['throughput'] * metrics['latency_ms'] / 1000 / (batch_work * concurrency))
                - 3 * round(log10(metrics['throughput'] * metrics['latency_ms'] / 1000 / (batch_work * concurrency)) / 3)) < 0.1
            then printf('throughput times latency is %.3g times the work of a batch: a unit is wrong',
                metrics['throughput'] * metrics['latency_ms'] / 1000 / (batch_work * concurrency))
        when metrics['power_w'] > {{ var('power_tolerance') }} * bound_power_w
            then printf('%.4g W is %.1f times the rated power of the devices', metrics['power_w'], metrics['power_w'] / bound_power_w)
        when metrics['memory_mb'] > 1000 * 1000 * memory_gb * device_count
            then printf('%.4g MB is %.0f times the memory of the devices', metrics['memory_mb'],
                metrics['memory_mb'] / (1000 * memory_gb * device_count))
    end
{%- endmacro %}

{% macro rule_silent_fallback() -%}
    case when ran_on != hardware_kind and ran_on = 'cpu' then 'ran on the CPU of an ' || hardware_kind end
{%- endmacro %}

{% macro rule_beats_roofline() -%}
    case
        when status != 'ok' then null
        when metrics['throughput'] > {{ var('roofline_tolerance') }} * bound_throughput
            then printf('throughput %.4g is %.1f times what the hardware can do',
                metrics['throughput'], metrics['throughput'] / bound_throughput)
        {%- for metric, words in [('latency_ms', 'latency'), ('ttft_ms', 'time to first token'), ('itl_ms', 'time between two tokens')] %}
        when metrics['{{ metric }}'] * {{ var('roofline_tolerance') }} < bound_{{ metric }}
            then printf('{{ words }} of %.4g ms is %.1f times shorter than the hardware can do',
                metrics['{{ metric }}'], bound_{{ metric }} / metrics['{{ metric }}'])
        {%- endfor %}
    end
{%- endmacro %}

{#- Memory that is short on few devices makes them slow, so only a large gain is impossible. -#}
{% macro rule_impossible_scaling() -%}
    case when metrics['throughput'] / device_count > {{ var('scaling_tolerance') }} * throughput_per_device_of_fewer
        then printf('%.4g a device on %d devices, %.4g on fewer', metrics['throughput'] / device_count, device_count,
            throughput_per_device_of_fewer)
    end
{%- endmacro %}
