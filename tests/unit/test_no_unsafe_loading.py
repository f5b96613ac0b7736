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
SHELL_WORDS = ("select ", "insert ", "update ", "delete ", "create ", "drop ", "copy ", "attach ")
# names of this project's own, or written by `identifier`
NAMES = {"identifier", "schema", "table", "name", "names", "columns", "landing_table"}
NAMES |= {"COLUMNS", "LINE", "FILES", "ROWS", "NEWEST", "known", "earlier", "column", "asked"}
NAMES |= {"open_columns"}


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
        if isinstance(node, ast.JoinedStr):
            yield from formatted(node)


def formatted(node: ast.JoinedStr) -> Iterator[str]:
    """Values in a text that is SQL, unless they are names of the project's own."""
    words = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    if not words.lower().lstrip().startswith(SHELL_WORDS):
        return
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            used = {each.id for each in ast.walk(part.value) if isinstance(each, ast.Name)}
            if not used <= NAMES:
                yield f"{node.lineno}: {ast.unparse(part.value)} in SQL"


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
    ],
)
def test_what_is_unsafe_is_found(source):
    assert len(list(unsafe(ast.parse(source), "elsewhere.py"))) == 1


def test_templates_of_sql_quote_the_only_names_that_are_data():
    """dbt renders models from the project alone, but for the names of metrics."""
    models = [p for p in (PROJECT / "dbt_project").rglob("*.sql") if "target" not in p.parts]
    texts = {path.name: path.read_text(encoding="utf-8") for path in models}
    assert not [name for name, text in texts.items() if "env_var(" in text]
    assert [name for name, text in texts.items() if "run_query(" in text] == [
        "training_features.sql"
    ]
    used = re.findall(r"\{\{ metric\b[^}]*\}\}", texts["training_features.sql"])
    assert used and all("| replace(" in each for each in used)
