"""What the README shows works as it is written."""

import re
import subprocess
import sys

from tests.support import PROJECT, Commands


def _blocks(language: str) -> list[str]:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_python_of_the_readme_runs(published: Commands):
    assert _blocks("python")
    for code in _blocks("python"):
        shown = code + "print(len(tests), ranked['rank'].min(), len(quantiles))\n"
        done = subprocess.run(
            [sys.executable, "-c", shown], cwd=published.home, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        tests, best, candidates = map(int, done.stdout.split())
        assert (tests, best) == (5, 1)
        assert candidates > 50


def test_sql_of_the_readme_runs(published: Commands):
    assert _blocks("sql")
    for query in _blocks("sql"):
        assert len(published.query(query)) > 100


def test_every_table_and_setting_is_in_the_readme(published: Commands):
    from pipelines.settings import Settings

    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    tables = published.query(
        "select table_name from duckdb_tables() where schema_name = 'analytics'"
    )["table_name"]
    for name in [*tables, *Settings.model_fields]:
        assert f"`{name}`" in text, name
