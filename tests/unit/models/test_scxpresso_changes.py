"""What a substitution does is what two whole passes say."""

import pytest
import torch
from made_populations import build, made_populations

from cisgrammar.common.threads import set_threads

SMALL = {"filters": 6, "second_filters": 5, "hidden": 8}


@pytest.fixture(autouse=True)
def _one_thread():
    set_threads(1)


@torch.no_grad()
def by_whole_passes(model, inputs, first, end):
    effects = torch.zeros(len(inputs), model.n_targets, 4, end - first)
    plain = model(inputs)
    for position in range(first, end):
        known = inputs.codes[:, position] < 4
        for base in range(4):
            codes = inputs.codes.clone()
            codes[:, position] = base
            change = model(inputs.replace(codes=codes)) - plain
            effects[:, :, base, position - first] = change * known[:, None]
    return effects


@pytest.mark.parametrize(
    "length, sizes",
    [
        (133, {"pool": 6, "second_pool": 4}),  # bases are left over at the end
        (120, {"pool": 10, "second_pool": 3, "second_width": 4}),
        (90, {"pool": 4, "second_pool": 5, "width": 9}),  # a base reaches three pools
        (60, {"pool": 30, "second_pool": 2}),
        (60, {"pool": 2, "second_pool": 1, "width": 1, "second_width": 1}),
        (61, {"pool": 7, "second_pool": 3, "width": 7, "inputs": "sequence"}),
    ],
)
def test_effects_are_those_of_whole_passes(length, sizes):
    dataset, _ = made_populations(10, length, ["tissue", "type", "type"])
    dataset.varm["codes"][0, 30:33] = 4
    model = build(dataset, **{**SMALL, **sizes}).eval()
    for network in model.parts().values():
        network.target_std.mul_(3.0)
        network.head.weight.data.mul_(10)
    inputs = model.read_inputs(dataset)
    expected = by_whole_passes(model, inputs, 0, length)
    assert expected.abs().max() > 0.1
    effects = model.substitution_effects(inputs, 0, length)
    torch.testing.assert_close(effects, expected, rtol=1e-4, atol=1e-5)
    assert not effects[0, :, :, 30:33].any()
    some = model.substitution_effects(inputs, 20, 37)
    torch.testing.assert_close(some, expected[..., 20:37], rtol=1e-4, atol=1e-5)


def test_features_alone_leave_nothing_to_mutate():
    dataset, _ = made_populations(4, 60)
    model = build(dataset, **SMALL, inputs="features")
    assert not model.substitution_effects(model.read_inputs(dataset), 0, 60).any()
