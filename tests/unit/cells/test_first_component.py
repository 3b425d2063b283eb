"""Depth, groups and batches in a component, made by hand."""

import numpy as np
import pytest

from cisgrammar.cells.first_component import beside_depth, eta_squared, judge_first_component

N = 400
ONE = np.array(["all"] * N)
TYPES = np.array(["a", "b", "c", "d"] * (N // 4))
BATCHES = np.repeat(["one", "two"], N // 2)
NUMBER = np.unique(TYPES, return_inverse=True)[1]
IN_TWO = BATCHES == "two"
RNG = np.random.default_rng(0)
LOG_DEPTH, NOISE = RNG.normal(3.5, 0.3, N), RNG.normal(0, 0.1, N)


def not_asked():
    raise AssertionError("clusters do not decide")


def judge(scores, log_depth=LOG_DEPTH, batches=ONE, types=TYPES, **more):
    more = {"clusters": not_asked, **more}
    return judge_first_component(scores, 10**log_depth, batches, types, **more)


@pytest.mark.parametrize(
    "values, groups, share",
    [
        ([0, 0, 1, 1], "aabb", 1),
        ([0, 1, 0, 1], "aabb", 0),
        ([0, 2, 2, 4], "aabb", 0.5),  # 4 of 8
        ([3, 3, 3, 3], "aabb", 0),
    ],
)
def test_eta_squared_by_hand(values, groups, share):
    assert eta_squared(np.array(values), np.array(list(groups))) == pytest.approx(share)


@pytest.mark.parametrize(
    "scores, log_depth, dropped",
    [
        pytest.param(LOG_DEPTH + NOISE, LOG_DEPTH, True, id="depth"),
        pytest.param(-LOG_DEPTH + NOISE, LOG_DEPTH, True, id="depth, other sign"),
        pytest.param(LOG_DEPTH + 0.1 * NUMBER + NOISE, LOG_DEPTH, False, id="depth and types"),
        pytest.param(NUMBER + NOISE, LOG_DEPTH, False, id="types"),
        pytest.param(NOISE, LOG_DEPTH, False, id="neither"),
        pytest.param(
            LOG_DEPTH + 0.3 * NUMBER + NOISE,
            LOG_DEPTH + 0.3 * NUMBER,
            True,
            id="depth, in which types differ",
        ),
        pytest.param((LOG_DEPTH + NUMBER) ** 2 + NOISE, LOG_DEPTH + NUMBER, True, id="depth, bent"),
    ],
)
def test_it_goes_if_it_is_depth_and_nothing_else(scores, log_depth, dropped):
    assert judge(scores, log_depth).dropped is dropped


def test_types_of_other_depth_do_not_keep_it():
    first = judge(LOG_DEPTH + 0.3 * NUMBER + NOISE, LOG_DEPTH + 0.3 * NUMBER)
    assert first.eta_squared["cell types"] > 0.3
    assert first.beside["cell types"] < 0.02


def test_batches_are_no_reason_to_keep_it():
    scores = LOG_DEPTH + 2 * IN_TWO + NOISE
    mixed = np.where(RNG.random(N) < 0.9, BATCHES, "one")  # types that go with batches
    for types in (TYPES, mixed):
        first = judge(scores, batches=BATCHES, types=types)
        assert first.dropped
        assert first.eta_squared["batches"] > 0.8
    assert not judge(scores, types=BATCHES).dropped


def test_chance_is_taken_off():
    many = RNG.permutation(np.arange(N) // 4)  # 100 types of 4 cells
    assert eta_squared(NOISE, many) > 0.15
    assert beside_depth(NOISE, LOG_DEPTH, ONE, many) < 0.1
    assert beside_depth(NOISE, LOG_DEPTH, ONE, np.arange(N)) == 0  # each cell its own type


def test_clusters_stand_for_types_where_they_decide():
    first = judge(LOG_DEPTH + NUMBER / 10 + NOISE, types=ONE, clusters=lambda: TYPES)
    assert not first.dropped
    assert set(first.eta_squared) == {"clusters"}
    assert judge(LOG_DEPTH + NOISE, types=None, clusters=lambda: TYPES).dropped
    assert not judge(NOISE, types=ONE).dropped  # not asked


@pytest.mark.parametrize("choice, why", [(True, "dropped"), (False, "kept")])
def test_a_choice_of_the_config_holds(choice, why):
    for scores in (LOG_DEPTH + NOISE, NUMBER + NOISE):
        first = judge(scores, choice=choice)
        assert first.dropped is choice
        assert str(first).endswith(f": {why} as configured.")
    assert not judge(NOISE, types=ONE, choice=choice).eta_squared


def test_the_sentence():
    first = judge(np.repeat([1.0, 2.0], N // 2), np.repeat([3.0, 4.0], N // 2), types=BATCHES)
    assert str(first) == (
        "First component: r with depth 1.00, eta squared with cell types 1.00 "
        "(0.00 beside depth): dropped."
    )


@pytest.mark.parametrize("scores, depth", [(NOISE, np.ones(N)), (np.ones(N), LOG_DEPTH)])
def test_what_does_not_vary_follows_nothing(scores, depth):
    first = judge(scores, depth)
    assert first.depth_r == pytest.approx(0, abs=1e-9)
    assert not first.dropped
