{#-
  A build works in a database of its own, which nobody reads before it is published as a whole. So a
  relation is replaced where it is, rather than built beside and renamed, and documented in the same
  statement: this saves a fifth of what dbt takes. Indexes, grants and foreign keys are not looked after.
-#}

{% materialization table, adapter="duckdb" %}
  {{ return(replace_relation("table")) }}
{% endmaterialization %}

{% materialization view, adapter="duckdb" %}
  {{ return(replace_relation("view")) }}
{% endmaterialization %}

{#-
  A table that is filled for some thousand workloads at a time, in their order: to sort or to join the
  candidates of all would take more memory than there is. The model asks `in_this_part` of the workloads of
  each large table that it reads: a comparison with constants, which leaves most of it unread.
-#}
{% materialization table_in_parts, adapter="duckdb" %}
  {%- set ends = run_query("select workload_id from " ~ ref("int_parts") ~ " order by all") %}
  {{ return(replace_relation("table", ends.columns[0].values())) }}
{% endmaterialization %}

{% macro in_this_part(workload_id) -%}
  {%- do ref("int_parts") -%}
  {{ workload_id }} > coalesce(getvariable('earlier_workload'), '')
    and {{ workload_id }} <= coalesce(getvariable('last_workload'), chr(1114111))
{%- endmacro %}

{% macro replace_relation(type, ends=()) %}
  {%- set relation, existing = this.incorporate(type=type), load_cached_relation(this) %}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% call statement("main") %}
    {% if existing %} drop {{ existing.type }} {{ existing }}; {% endif %}
    {% if ends %} set variable last_workload = '{{ ends[0] }}'; {% endif %}
    {{ create_table_as(False, relation, sql) if type == "table" else create_view_as(relation, sql) }};
    {% for end in ends %}
      set variable earlier_workload = '{{ end }}';
      {{ "reset" if loop.last else "set" }} variable last_workload {%- if not loop.last %} = '{{ loop.nextitem }}' {%- endif %};
      insert into {{ relation }} by name {{ sql }};
    {% endfor %}
    {% if ends %} reset variable earlier_workload; {% endif %}
    {{ comment_on(relation, model) }}
  {% endcall %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% do adapter.commit() %}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({"relations": [relation]}) }}
{% endmacro %}

{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) %}
  {%- set statements = comment_on(relation, model) | trim %}
  {% if statements %}
    {% call statement("comments") %}{{ statements }}{% endcall %}
  {% endif %}
{% endmacro %}

{#- Fails for a documented column that is not there. -#}
{% macro comment_on(relation, model) %}
  {%- if model.description and config.persist_relation_docs() %}
    {{ alter_relation_comment(relation, model.description) }}
  {%- endif %}
  {%- for column in model.columns.values() if column.description and config.persist_column_docs() %}
    comment on column {{ relation }}.{{ adapter.quote(column.name) }}
      is {{ duckdb_escape_comment(column.description) }};
  {%- endfor %}
{% endmacro %}
