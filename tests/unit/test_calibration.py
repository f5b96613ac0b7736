import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models_py.calibration import (
    MINIMUM_GROUP,
    SHRINKAGE,
    Offsets,
    conformal_quantile,
    fit_offsets,
    undercovered,
)

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)


def _normal_quantiles(rows: int, scale: float = 1.0) -> np.ndarray:
    from scipy.stats import norm

    return np.tile(scale * norm.ppf(LEVELS), (rows, 1))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_conformal_quantile_is_the_smallest_score_with_enough_rows_below(scores, level):
    values = np.array(scores)
    found = conformal_quantile(values, level)
    needed = min(np.ceil((len(values) + 1) * level - 1e-9), len(values))
    assert found in values
    assert (values <= found).sum() >= needed
    assert (values < found).sum() < needed


def test_offsets_repair_intervals_that_are_too_narrow():
    generator = np.random.default_rng(1)
    target, groups = generator.normal(size=4000), np.repeat(["a", "b"], 2000)
    quantiles = _normal_quantiles(4000, scale=0.5)
    half = slice(0, None, 2)
    offsets = fit_offsets(target[half], quantiles[half], LEVELS, groups[half], np.arange(2000))
    wide = offsets.apply(quantiles[1::2], groups[1::2])
    inside = (target[1::2] >= wide[:, 0]) & (target[1::2] <= wide[:, -1])
    assert 0.88 < inside.mean() < 0.92


def test_a_noisy_group_gets_wider_intervals_and_a_tiny_one_the_common_offset():
    generator = np.random.default_rng(2)
    groups = np.array(["calm"] * 500 + ["wild"] * 500 + ["tiny"] * (MINIMUM_GROUP - 1))
    deviation = np.where(groups == "wild", 3.0, 1.0)
    target = deviation * generator.normal(size=len(groups))
    quantiles = _normal_quantiles(len(groups))
    offsets = fit_offsets(target, quantiles, LEVELS, groups, np.arange(len(groups)))
    assert (offsets.by_group["wild"] > offsets.by_group["calm"]).all()
    assert "tiny" not in offsets.by_group


def test_repeats_of_one_configuration_are_no_group():
    groups = np.array(["wild"] * 200 + ["calm"] * 800)
    target, quantiles = np.where(groups == "wild", 3.0, 0.1), _normal_quantiles(len(groups))
    several = np.r_[np.arange(200) % MINIMUM_GROUP, 200 + np.arange(800)]
    one = np.r_[np.zeros(200, int), 200 + np.arange(800)]
    by_several, by_one = (
        fit_offsets(target, quantiles, LEVELS, groups, each).by_group for each in (several, one)
    )
    assert "wild" not in by_one and by_one.keys() == {"calm"}
    everywhere, own = (
        fit_offsets(target[here], quantiles[here], LEVELS, groups[here], several[here]).everywhere
        for here in (groups != "", groups == "wild")
    )
    weight = MINIMUM_GROUP / (MINIMUM_GROUP + SHRINKAGE)
    np.testing.assert_allclose(by_several["wild"], weight * own + (1 - weight) * everywhere)


def test_offsets_widen_each_pair_of_levels_by_its_own_amount():
    offsets = Offsets(np.array([1.0, 0.5]), {"b": np.array([3.0, -0.5])})
    quantiles = np.tile([-2.0, -1.0, 0.0, 1.0, 2.0], (2, 1))
    found = offsets.apply(quantiles, np.array(["a", "b"]))
    assert found.tolist() == [[-3.0, -1.5, 0.0, 1.5, 3.0], [-5.0, -0.5, 0.0, 0.5, 5.0]]


def test_chance_names_few_groups_and_a_broken_promise_is_named():
    generator = np.random.default_rng(3)
    groups = np.repeat([f"g{number}" for number in range(400)], 40)
    configurations, inside = np.arange(len(groups)), generator.random(len(groups)) < 0.9
    assert len(undercovered(inside, configurations, groups, 0.9)) < 0.08 * 400
    broken = np.where(groups == "g7", generator.random(len(groups)) < 0.5, inside)
    assert undercovered(broken, configurations, groups, 0.9)["g7"] < 0.7
    few = np.repeat("few", MINIMUM_GROUP - 1)
    assert undercovered(np.zeros(len(few), bool), np.arange(len(few)), few, 0.9) == {}


def test_repeats_of_a_configuration_are_one_witness_of_coverage():
    generator = np.random.default_rng(4)
    groups = np.repeat([f"g{number}" for number in range(400)], 20 * 10)
    configurations = np.repeat(np.arange(400 * 20), 10)
    inside = np.repeat(generator.random(400 * 20) < 0.9, 10)
    assert len(undercovered(inside, configurations, groups, 0.9)) < 0.08 * 400
