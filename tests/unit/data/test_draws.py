"""Draws are the same numbers on every device, and in steps that read them from fixed places."""

import torch

from cisgrammar.data.draws import Draws, KeptDraws, drop


def step(draws):
    return [draws.uniform(2, 3).clone(), draws.integers(-2, 2, 4).clone(), draws.uniform(1).clone()]


def test_kept_draws_are_those_of_steps_that_draw_anew():
    plain = Draws(torch.Generator().manual_seed(1))
    kept = KeptDraws(torch.Generator().manual_seed(1))
    for _ in range(4):
        kept.begin()
        for one, other in zip(step(plain), step(kept), strict=True):
            assert torch.equal(one, other)


def test_kept_draws_stay_in_their_places():
    kept, places = KeptDraws(torch.Generator().manual_seed(1)), []
    for _ in range(3):
        kept.begin()
        places.append([kept.uniform(5).data_ptr(), kept.integers(0, 9, 2).data_ptr()])
    assert places[0] == places[1] == places[2]


def test_integers_reach_both_ends():
    drawn = Draws(torch.Generator().manual_seed(1)).integers(-1, 1, 200)
    assert set(drawn.tolist()) == {-1, 0, 1}


def test_dropping_keeps_the_mean():
    x = torch.ones(100, 100)
    dropped = drop(x, 0.25, Draws(torch.Generator().manual_seed(1)))
    assert set(dropped.unique().tolist()) == {0, torch.tensor(1 / 0.75).item()}
    assert abs(dropped.mean().item() - 1) < 0.02
    assert drop(x, 0.25, None) is x
