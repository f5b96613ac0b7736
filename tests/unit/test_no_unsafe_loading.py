"""No code of this project loads what could run, starts a shell, or formats names into SQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import PROJECT

FOLDERS = ("models_py", "pipelines", "benchmarks", "deploy")
FILES = sorted(path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py"))
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
BUILTINS = {"eval", "exec", "compile", "__import__"}
CALLS = {"os.system", "os.popen", "pd.read_pickle", "pandas.read_pickle", "torch.load"}
CALLS |= {"yaml.full_load", "yaml.unsafe_load", "yaml.load_all"}
# read with a loader of text, which makes no objects
YAML = "pipelines/readers/trees.py"
SQL = re.compile(
    r"\s*(select|insert|update|delete|create|drop|alter|copy|attach|detach|install|load|set|pragma|call"
    r"|export|import|truncate|merge|with \w+ as)\s",
    re.IGNORECASE,
)
# what each file formats into SQL: constants, names of its own tables and columns, or quoted ones
NAMES = {
    "benchmarks/figures.py": {"MOST_OPTIONS"},
    "benchmarks/readers.py": {"table"},
    "benchmarks/selection_time.py": {"asked"},
    "pipelines/build_row.py": {"table"},
    "pipelines/costs.py": {"COUNTED"},
    "pipelines/hardware.py": {"name"},
    "pipelines/ingest.py": {"FILES", "ROWS", "table", "name", "landing_table"},
    "pipelines/models.py": {"column", "table"},
    "pipelines/progress.py": {"name"},
    "pipelines/readers/database.py": {"LINE", "every", "identifier", "table"},
    "pipelines/record.py": {"names"},
    "pipelines/recorded.py": {"NEWEST"},
    "pipelines/workloads.py": {"COLUMNS", "open_columns"},
    "pipelines/write_back.py": {"table", "earlier"},
}


def called(node: ast.Call) -> str:
    """Dotted name of what is called."""
    parts, function = [], node.func
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    parts.append(function.id if isinstance(function, ast.Name) else "?")
    return ".".join(reversed(parts))


def unsafe(tree: ast.AST, file: str) -> Iterator[str]:
    """What is not to be there, with its line."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        yield from (
            f"{node.lineno}: import {name}" for name in names if name.split(".")[0] in MODULES
        )
        if isinstance(node, ast.Call):
            name = called(node)
            if name in BUILTINS or name in CALLS:
                yield f"{node.lineno}: {name}()"
            if name == "yaml.load" and file != YAML:
                yield f"{node.lineno}: yaml.load()"
            for keyword in node.keywords:
                value = getattr(keyword.value, "value", None)
                if (keyword.arg, value) in {("shell", True), ("allow_pickle", True)}:
                    yield f"{node.lineno}: {keyword.arg}=True"
        for value in formatted(node):
            used = {each.id for each in ast.walk(value) if isinstance(each, ast.Name)}
            if not used <= NAMES.get(file, set()):
                yield f"{node.lineno}: {ast.unparse(value)} in SQL"


def formatted(node: ast.AST) -> list[ast.expr]:
    """Values that are put into a text which starts as SQL does: by f-string, +, % or format()."""
    match node:
        case ast.JoinedStr(values=parts):
            words = "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
            values = [part.value for part in parts if isinstance(part, ast.FormattedValue)]
        case ast.BinOp(left=ast.Constant(value=words), op=ast.Add() | ast.Mod(), right=value):
            values = [value]
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=words), attr="format")):
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
        case _:
            return []
    return values if isinstance(words, str) and SQL.match(words) else []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_nothing_unsafe_is_used(path: Path):
    file = path.relative_to(PROJECT).as_posix()
    assert list(unsafe(ast.parse(path.read_text(encoding="utf-8")), file)) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "import subprocess\nsubprocess.run('ls', shell=True)",
        "import yaml\nyaml.load(text, Loader)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import pandas as pd\npd.read_pickle(path)",
        'con.execute(f"select * from {user_input}")',
        "con.execute(f\"copy t to '{path}'\")",
        'con.execute("drop table " + name)',
        'con.execute("select * from %s" % name)',
        'con.execute("with t as (select * from {}) from t".format(name))',
        'con.execute(f"ALTER TABLE {name} ADD COLUMN a INTEGER")',
    ],
)
def test_what_is_unsafe_is_found(source):
    assert len(list(unsafe(ast.parse(source), "elsewhere.py"))) == 1


def test_templates_of_sql_quote_the_only_names_that_are_data():
    """dbt renders models from the project alone, but for names of metrics, and ids that are MD5."""
    models = [p for p in (PROJECT / "dbt_project").rglob("*.sql") if "target" not in p.parts]
    texts = {path.name: path.read_text(encoding="utf-8") for path in models}
    assert not [name for name, text in texts.items() if "env_var(" in text]
    running = {name: text for name, text in texts.items() if "run_query(" in text}
    assert sorted(running) == ["materializations.sql", "quoted_metrics.sql"]
    (queried,) = re.findall(r"run_query\((.*)\) %\}", running["materializations.sql"])
    assert queried == '"select workload_id from " ~ ref("int_parts") ~ " order by all"'
    quoting = [
        text
        for text in texts.values()
        if "= quoted_metrics()" in text or "in quoted_metrics()" in text
    ]
    used = [each for text in quoting for each in re.findall(r"\{\{ metric\b[^}]*\}\}", text)]
    assert len(quoting) == 2 and used
    assert all(re.fullmatch(r"\{\{ metric\.(text|column) \}\}", each) for each in used)
    assert """~ name | replace("'", "''") ~""" in texts["quoted_metrics.sql"]
    assert """~ name | replace('"', '""') ~""" in texts["quoted_metrics.sql"]
