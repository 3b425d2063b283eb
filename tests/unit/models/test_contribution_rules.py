"""How outputs are followed back: small networks whose contributions are known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_models import lively_model, small_inputs
from torch.nn import functional as F

from cisgrammar.interpret.attributions import one_hot
from cisgrammar.models.contribution_rules import Gradients, Rescale, pool
from cisgrammar.models.prediction import predict
from cisgrammar.models.registry import models_with


def multipliers(function, own, others):
    """Give the multipliers of one sequence against references, and what they explain."""
    x = torch.tensor([own, *others], dtype=torch.float32, requires_grad=True)
    output = function(Rescale(len(others)), x)
    (slope,) = torch.autograd.grad(output.sum(), x)
    assert (slope[0] == 0).all()
    distance = (x[:1] - x[1:]).detach()
    explained = (slope[1:] * distance).sum(dim=1)
    difference = (output[:1] - output[1:]).detach().reshape(len(others), -1).sum(dim=1)
    return slope[1:].numpy(), explained.numpy(), difference.numpy()


def test_an_activation_has_the_quotient_of_differences():
    def relu(rules, x):
        return rules.activate(F.relu, x)

    slope, _, _ = multipliers(relu, [2.0, 1.0, -1.0], [[-2.0, 0.0, -3.0]])
    np.testing.assert_allclose(slope, [[0.5, 1.0, 0.0]])  # its gradient would be 1, 1, 0


def test_where_inputs_are_equal_it_has_the_slope():
    def square(rules, x):
        return rules.activate(torch.square, x)

    slope, _, _ = multipliers(square, [3.0, 3.0], [[3.0, 3.0 + 1e-7]])
    np.testing.assert_allclose(slope, [[6.0, 6.0]], rtol=1e-6)


@pytest.mark.parametrize(
    "own, other, expected",
    [
        ([5.0, 0.0], [1.0, 2.0], [0.75, 0.0]),  # 5 - 2 at a place that rose by 4
        ([1.0, 2.0], [5.0, 0.0], [0.75, 0.0]),  # and the same back
        ([3.0, 0.0], [3.0, 1.0], [1.0, 0.0]),  # nothing changed where the maximum is
        ([4.0, 0.0], [0.0, 4.0], [0.0, 0.0]),  # another place is as high
    ],
)
def test_of_a_maximum_all_goes_to_the_place_of_the_larger_one(own, other, expected):
    slope, explained, difference = multipliers(lambda rules, x: rules.highest(x), own, [other])
    np.testing.assert_allclose(slope, [expected])
    np.testing.assert_allclose(explained, difference)


ROWS = st.lists(st.floats(-3, 3, width=32), min_size=12, max_size=12)


@given(ROWS, ROWS, ROWS)
def test_contributions_sum_to_the_difference(own, one, other):
    def network(rules, x):
        hidden = rules.activate(F.silu, x[:, None] @ torch.linspace(-1, 1, 144).view(12, 12))
        return rules.activate(F.elu, pool(rules, hidden, 5, left=1, right=1)).sum(dim=(1, 2))

    _, explained, difference = multipliers(network, own, [one, other])
    np.testing.assert_allclose(explained, difference, atol=1e-4)


@pytest.mark.parametrize("name", models_with("reads_bases"))
@pytest.mark.parametrize("rules", [Gradients(), Rescale(2)], ids=["gradients", "rescale"])
def test_models_predict_the_same_from_bases(name, rules, pytestconfig):
    model, inputs = lively_model(name, pytestconfig.rootpath), small_inputs()
    expected = predict(model, inputs)
    with torch.no_grad():
        found = model.predict_bases(one_hot(inputs.codes), inputs, rules)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("strands, bins", [("both", 1), ("forward", 3), ("both", 4)])
def test_scover_predicts_the_same_with_strands_and_bins(strands, bins, pytestconfig):
    model = lively_model("scover", pytestconfig.rootpath, strands=strands, bins=bins)
    inputs = small_inputs()
    with torch.no_grad():
        found = model.predict_bases(one_hot(inputs.codes), inputs, Gradients())
    torch.testing.assert_close(found, predict(model, inputs), rtol=1e-4, atol=1e-6)
