"""Grids of candidates: the same numbers as LightGBM, whatever the trees ask and the columns hold."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_py.boosting import predictions
from models_py.grid import Column, Grid, evaluate, predict_grid
from tests.support import PROJECT

CATEGORIES = 40
SPECIAL = (np.nan, 0.0, -0.0, 1e-36, -1e-36, 1e-34, np.inf, -np.inf, 5e-324, 1e300)


@pytest.fixture(autouse=True)
def own_evaluation(monkeypatch):
    """Small grids too are evaluated here, not by LightGBM."""
    monkeypatch.setattr(evaluate, "FEW_CELLS", 0)


@st.composite
def grids(draw) -> tuple[Grid, list[int]]:
    """A grid, and which of its columns are categories."""
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=4)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    columns, categorical = [], []
    for position in range(draw(st.integers(1, 6))):
        axes = tuple(axis for axis in range(len(shape)) if draw(st.booleans()))
        own = tuple(shape[axis] for axis in axes)
        if draw(st.booleans()):
            categorical.append(position)
            values = random.integers(-2, CATEGORIES + 5, own) + random.choice([0.0, 0.5], own)
            values = np.where(random.random(own) < 0.1, random.choice(SPECIAL, own), values)
        else:
            values = np.round(random.normal(size=own), draw(st.integers(0, 3)))
            values = np.where(random.random(own) < 0.1, random.choice(SPECIAL, own), values)
        columns.append(Column(axes, np.where(random.random(own) < 0.1, np.nan, values)))
    return Grid(shape, columns), categorical


def booster(
    grid: Grid, categorical: list[int], seed: int, rounds: int = 8, **parameters: object
) -> lgb.Booster:
    """Random trees over columns like those of a grid."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(600, len(grid.columns))).round(1)
    for column in categorical:
        rows[:, column] = random.integers(0, CATEGORIES, 600)
    rows[random.random(rows.shape) < 0.1] = np.nan
    target = np.nansum(rows * random.normal(size=rows.shape[1]), axis=1) + random.normal(size=600)
    chosen = {
        "objective": "quantile",
        "alpha": 0.8,
        "num_leaves": 12,
        "min_data_in_leaf": 2,
        "min_data_per_group": 2,
        "cat_smooth": 1,
        "extra_trees": True,
        "seed": seed,
        "verbose": -1,
        "num_threads": 1,
        **parameters,
    }
    data = lgb.Dataset(rows, target, categorical_feature=categorical)
    return lgb.train(chosen, data, rounds)


def check(model: lgb.Booster, grid: Grid) -> None:
    """Bit by bit, and up to rounding where trees may be added in any order."""
    expected = model.predict(grid.matrix(), raw_score=True, num_threads=1).reshape(grid.shape)
    np.testing.assert_array_equal(predict_grid(model, grid, bitwise=True), expected)
    leaves = model.trees_to_dataframe().query("left_child.isna()")
    largest = leaves["value"].abs().groupby(leaves["tree_index"]).max().sum()
    np.testing.assert_allclose(predict_grid(model, grid), expected, rtol=0, atol=1e-14 * largest)


@settings(max_examples=60)
@given(
    grids(),
    st.integers(0, 1000),
    st.sampled_from([2, 12, 64, 65, 200]),
    st.booleans(),
    st.booleans(),
)
def test_every_cell_is_predicted_as_lightgbm_does(
    described, seed, leaves, zero_is_missing, missing
):
    grid, categorical = described
    model = booster(
        grid,
        categorical,
        seed,
        num_leaves=leaves,
        zero_as_missing=zero_is_missing,
        use_missing=missing or zero_is_missing,
    )
    check(model, grid)


@settings(max_examples=10)
@given(st.integers(0, 1000), st.booleans())
def test_large_axes_are_evaluated_in_slabs_and_blocks(seed, crossing):
    random = np.random.default_rng(seed)
    shape = (700, 3, 11)
    columns = [
        Column((axis,), random.normal(size=size).round(1)) for axis, size in enumerate(shape)
    ]
    if crossing:
        columns += [Column((0, 2), random.normal(size=(700, 11))), Column((), np.array(0.3))]
    grid = Grid(shape, columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "TABLE_WORDS", 5_000)
        patch.setattr("models_py.grid.scan.SLAB_WORDS", 2_000)
        patch.setattr("models_py.grid.scan.TRAILING_CELLS", int(random.choice([1, 5, 33])))
        check(booster(grid, [], seed, rounds=30), grid)


@pytest.mark.parametrize("threshold", [0.1, 1e-37])
def test_leaves_that_nothing_reaches_and_numbers_next_to_zero(threshold):
    """All nodes ask the same: many leaves contradict themselves; what is next to zero is zero."""
    random = np.random.default_rng(3)
    shape = (40, 300)
    columns = [Column((0, 1), random.choice([-1.0, 5e-36, 0.1, 1.0, np.nan], shape))]
    grid = Grid(shape, [*columns, Column((0,), random.normal(size=40))])
    text = booster(grid, [], seed=3, rounds=30).model_to_string()
    text = re.sub("tree_sizes=.*\n", "", text)  # bytes of each tree, which change
    same = re.sub(
        "(?<=^threshold=).*$",
        lambda found: " ".join([str(threshold)] * len(found[0].split())),
        text,
        flags=re.MULTILINE,
    )
    check(lgb.Booster(model_str=same), grid)


def test_many_rows_are_predicted_as_few(monkeypatch):
    random = np.random.default_rng(5)
    matrix = random.normal(size=(25_000, 4)).round(2)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    model = booster(Grid((1,), [Column((), np.array(0.0))] * 4), [], seed=5, rounds=30)
    expected = model.predict(matrix, num_threads=1)
    monkeypatch.setattr(lgb.Booster, "predict", None)
    np.testing.assert_array_equal(predictions(model, matrix), expected)


def test_a_tree_without_a_node_is_a_number():
    grid = Grid((2, 3), [Column((1,), np.arange(3.0))])
    model = booster(grid, [], seed=0, min_data_in_leaf=600)
    assert model.dump_model()["tree_info"][0]["num_leaves"] == 1
    check(model, grid)


def test_what_is_no_sum_of_constants_is_refused(monkeypatch):
    grid = Grid((2, 3), [Column((1,), np.arange(3.0))])
    forest = {"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}
    linear = booster(grid, [], seed=0, linear_tree=True, objective="l2")
    averaged = booster(grid, [], seed=0, **forest)
    for few in (0, 20_000):  # whoever evaluates
        monkeypatch.setattr(evaluate, "FEW_CELLS", few)
        with pytest.raises(ValueError, match="leaves with linear models"):
            predict_grid(linear, grid)
        with pytest.raises(ValueError, match="one output that is the sum of its trees"):
            predict_grid(averaged, grid)
    with pytest.raises(ValueError, match="2 columns, the booster has 1"):
        predict_grid(booster(grid, [], seed=0), Grid((2, 3), [*grid.columns, *grid.columns]))


def test_a_column_is_a_category_or_a_number_throughout():
    grid = Grid((2, 3), [Column((1,), np.arange(3.0))])
    random = np.random.default_rng(0)
    rows = random.integers(0, 9, (300, 1)).astype(float)
    first = booster(grid, [0], seed=0)
    data = lgb.Dataset(rows, rows[:, 0] + random.normal(size=300))
    mixed = lgb.train({"verbose": -1, "num_leaves": 4}, data, 3, init_model=first)
    with pytest.raises(ValueError, match="column 0 is a category in some trees"):
        predict_grid(mixed, grid)


@pytest.mark.parametrize(
    ("shape", "axes", "said"),
    [
        ((2, 3), (1,), r"column 0: shape \(2,\), its axes have \(3,\)"),
        ((2, 3), (2,), r"column 0: axes \(2,\) are none of the grid's"),
        ((2, 3), (-1,), r"column 0: axes \(-1,\) are none of the grid's"),
        ((), (0,), "a grid has at least one axis"),
    ],
)
def test_columns_fit_their_axes(shape, axes, said):
    with pytest.raises(ValueError, match=said):
        Grid(shape, [Column(axes, np.arange(2.0))])


def test_small_grids_are_lightgbms(monkeypatch):
    monkeypatch.setattr(evaluate, "FEW_CELLS", 10)
    monkeypatch.setattr(evaluate, "_boxed", None)
    monkeypatch.setattr(evaluate, "_scan", None)
    grid = Grid((2, 3), [Column((1,), np.arange(3.0))])
    check(booster(grid, [], seed=0), grid)


def test_compiled_code_needs_no_place_to_be_kept(tmp_path):
    """As under a service that may write its warehouse alone."""
    package = tmp_path / "models_py" / "grid"
    shutil.copytree(
        PROJECT / "models_py" / "grid", package, ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "models_py" / "__init__.py").touch()
    (package / "__pycache__").write_text("no directory")
    program = (
        "import numpy as np; from models_py.grid import order;"
        f"assert order.__file__.startswith({str(tmp_path)!r});"
        "print(order.fewest_runs(np.array([[1, 2, 1, 2]], np.uint64)).tolist())"
    )
    environment = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(done.stdout)) == [0, 1, 2, 3]
