{#-
    Functions of the database that staging models and the feature macro share. They are created before
    every run, so that views find them, also in the published file.
-#}
{% macro create_functions() %}

{#- Text without no-break blanks and hyphens, marks of emphasis and blanks around it; nothing where it says so. -#}
create or replace macro main.trimmed(value) as
    trim(translate(value, chr(160) || chr(8239) || chr(8199) || chr(8209) || chr(8208) || chr(8722) || chr(9), '   --- '), ' *`');

create or replace macro main.cleaned(value) as
    nullif(regexp_replace(trimmed(value), '^(n/a|na|nan|null|none|-|/)$', '', 'i'), '');

{#- 1,234.5 is a number; 1,5 is not. A list of one names what is used twice. -#}
create or replace macro main.number_of(value) as
    list_transform([cleaned(value)], lambda cell: coalesce(
        try_cast(cell as double),
        try_cast(replace(regexp_extract(cell, '^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$'), ',', '') as double)
    ))[1];

{#- Counts are whole numbers; '8.0' is one, '8.5' is not. -#}
create or replace macro main.count_of(value) as
    list_transform([number_of(value)], lambda n: case when n = floor(n) then try_cast(n as bigint) end)[1];

{#- The spelling under which a name is looked up: 'NVIDIA H100-SXM-80GB' and 'nvidia h100 sxm 80gb' are one. -#}
create or replace macro main.name_key(name) as
    trim(regexp_replace(regexp_replace(lower(trimmed(name)), '\((r|tm)\)|®|™', '', 'g'), '[\s_/,-]+', ' ', 'g'));

{#- 'A (x32), B (x16)' is 48 devices, '2xEPYC' and 'H100 x 2' are two. -#}
create or replace macro main.devices_in(name) as
    coalesce(
        list_sum(list_transform(regexp_extract_all(lower(name), '\(\s*x\s*(\d+)\s*\)', 1), lambda n: cast(n as bigint))),
        try_cast(regexp_extract(lower(trimmed(name)), '^(\d+)\s*x\s*[a-z]', 1) as bigint),
        try_cast(regexp_extract(lower(trimmed(name)), '\sx\s*(\d+)$', 1) as bigint)
    )::bigint;

{#- The kinds of a mixed system in one order, whichever is listed first. -#}
create or replace macro main.without_devices(name) as
    array_to_string(list_sort(string_split(
        trim(regexp_replace(
            regexp_replace(regexp_replace(trimmed(name), '\s*\(\s*x\s*\d+\s*\)', '', 'gi'), '^\d+\s*x\s*([a-z])', '\1', 'i'),
            '\s+x\s*\d+$', '', 'i'
        )),
        ', '
    )), ', ');

{#- The architecture that a model's name begins with or has as a word of its own. -#}
create or replace macro main.family_in(name) as
    nullif(regexp_extract(replace(replace(lower(name), '_', '-'), ' ', '-'), '(?:^|[^a-z])({{ model_families() | join('|') }})', 1), '');

{#- The one precision that a text speaks of, 'mixed' where it speaks of several. -#}
create or replace macro main.precision_in(description) as
    case coalesce(len(list_distinct(regexp_extract_all(lower(description), '{{ precision_pattern() }}'))), 0)
        when 0 then nullif(nullif(lower(cleaned(description)), 'unset'), '{}')
        when 1 then regexp_extract(lower(description), '{{ precision_pattern() }}')
        else 'mixed'
    end;

{% endmacro %}

{% macro model_families() -%}
{{ return([
    'albert', 'bloom', 'clip', 'codellama', 'convnext', 'deeplab', 'deepseek', 'densenet', 'detr', 'distilbert',
    'distilroberta', 'dlrm', 'efficientnet', 'efficientvit', 'electra', 'falcon', 'ffnet', 'gemma', 'googlenet', 'gpt',
    'granite', 'hrnet', 'inception', 'llama', 'llava', 'mistral', 'mixtral', 'mobilebert', 'mobilenet', 'obert', 'opt',
    'perceiver', 'phi', 'pixart', 'qwen', 'regnet', 'resnet', 'resnext', 'roberta', 'shufflenet', 'squeezenet',
    'stable-diffusion', 'starcoder', 'swin', 't5', 'unet', 'vgg', 'vit', 'wav2vec', 'whisper', 'wideresnet', 'xlm',
    'yolo', 'bert',
]) }}
{%- endmacro %}

{% macro precision_pattern() -%}
    (?:mx|nv)?fp\d+|float\d+|bfloat16|bf16|tf32|u?int\d+|w\d+a\d+
{%- endmacro %}
