"""`benchmart report`: where the page is, and pages for other objectives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import Commands, bundled_rows, write_csv


def test_the_page_of_the_build_is_named(published: Commands):
    page = Path(published.succeed("report").stdout.strip())
    assert page == published.current / "report.html"
    text = page.read_text(encoding="utf-8")
    assert published.current.name in text
    assert "https://" not in text and len(text) < 3_000_000


def test_what_deployments_lose_is_on_the_page(small: Commands):
    text = (small.current / "report.html").read_text(encoding="utf-8")
    assert "4 deployments are known; of 1 nothing can be said" in text
    assert "bert-mini fp32 batch 6 64 tokens on amd-epyc-genoa-1-thread x1 pytorch" in text


@pytest.mark.slow
def test_deployments_that_are_well_placed_are_known_too(small: Commands):
    deployments = small.home / "raw" / "benchmart" / "deployments.csv"
    best = small.query(
        "select framework, hardware from analytics.recommended_platforms where"
        " objective = 'balanced' and workload = 'bert-mini fp32 batch 4 64 tokens'"
    ).iloc[0]
    deployments.write_text(
        "model_name,hardware,framework,precision,batch_size,input_length\n"
        f"bert-mini,{best['hardware']},{best['framework']},fp32,4,64\n"
    )
    small.build(BENCHMART_REPORT="true")
    text = (small.current / "report.html").read_text(encoding="utf-8")
    assert "What runs today is not known" not in text


def test_a_page_for_another_objective_is_written_elsewhere(published: Commands, tmp_path: Path):
    page = tmp_path / "new" / "latency.html"
    published.succeed("report", "--objective", "latency", "--output", page)
    text = page.read_text(encoding="utf-8")
    assert "objective <strong>latency</strong>" in text
    assert text != (published.current / "report.html").read_text(encoding="utf-8")


def test_what_cannot_be_shown_is_refused(published: Commands, tmp_path: Path):
    page = tmp_path / "page.html"
    said = published.refused("report", "--objective", "latencies", "--output", page)
    assert "did you mean 'latency'" in said
    assert "--output" in published.refused("report", "--objective", "latency")
    assert not list(tmp_path.iterdir())


def test_a_build_of_one_device_without_candidates_has_a_page_too(commands: Commands):
    rows = bundled_rows(
        model_name="bert-mini", hardware="amd-epyc-genoa-1-thread", precision="fp32"
    )
    write_csv(commands.home / "raw" / "benchmart" / "runs.csv", list(rows))
    asked = {"BENCHMART_METRICS": "throughput", "BENCHMART_REPORT": "true"}
    commands.build(**asked)
    text = (commands.current / "report.html").read_text(encoding="utf-8")
    assert "What runs today is not known" in text
    assert "benchmart backtest</code> replays" in text


@pytest.mark.slow
def test_a_build_may_be_without_a_page(commands: Commands):
    rows = bundled_rows(model_name="bert-mini", precision="fp32")
    write_csv(commands.home / "raw" / "benchmart" / "runs.csv", list(rows))
    commands.build(BENCHMART_METRICS="throughput")
    assert "--output" in commands.refused("report")
    commands.succeed("report", "--output", commands.home / "page.html")
