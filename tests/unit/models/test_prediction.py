import numpy as np
import pytest
import torch

from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.base import Ensemble
from cisgrammar.models.prediction import predict, scanner, spread_of_members
from cisgrammar.models.scover import Scover


def test_a_scanner_goes_from_codes_to_maxima():
    model = Scover(3, 6, 5)
    codes = np.random.default_rng(1).integers(0, 4, (7, 12), dtype=np.uint8)
    expected = torch.cat([maxima for maxima, *_ in model.scan(torch.from_numpy(codes))])
    np.testing.assert_array_equal(scanner(model)(codes), expected.detach().numpy())


@pytest.mark.parametrize("bins", [1, 3])
def test_scovers_are_averaged_as_one_with_the_filters_of_all(bins):
    torch.manual_seed(1)
    members = [Scover(2, 3, 4, "both", bins) for _ in range(3)]
    inputs = Inputs(torch.randint(0, 4, (5, 12), dtype=torch.uint8))
    rows = torch.arange(5)
    joined = Scover.join(members, Split(inputs, torch.zeros(5, 2), rows, rows))
    each = torch.stack([predict(member, inputs) for member in members])
    torch.testing.assert_close(predict(joined, inputs), each.mean(dim=0))
    torch.testing.assert_close(joined.predict_members(inputs), each)
    torch.testing.assert_close(spread_of_members(joined, inputs), each.std(dim=0))
    again = Scover(**joined.sizes())
    again.load_state_dict(joined.state_dict())
    torch.testing.assert_close(again.predict_members(inputs), each)


def test_members_that_agree_have_no_spread_and_others_have_theirs():
    torch.manual_seed(1)
    members = [Scover(2, 3, 4) for _ in range(2)]
    codes = torch.randint(0, 4, (5, 9), dtype=torch.uint8)
    inputs = Inputs(codes)
    assert spread_of_members(members[0], inputs) is None
    twice = Ensemble([members[0], members[0]])
    torch.testing.assert_close(spread_of_members(twice, inputs), torch.zeros(5, 2))
    first, second = (predict(member, inputs) for member in members)
    expected = (first - second).abs() / 2**0.5  # the standard deviation of two values
    torch.testing.assert_close(spread_of_members(Ensemble(members), inputs), expected)


def test_members_are_averaged_and_spread_by_their_weights_for_each_target():
    torch.manual_seed(1)
    members = [Scover(2, 3, 4) for _ in range(3)]
    inputs = Inputs(torch.randint(0, 4, (5, 9), dtype=torch.uint8))
    first, second = (predict(member, inputs) for member in members[:2])
    weights = torch.tensor([[0.5, 0.0], [0.5, 1.0], [0.0, 0.0]])
    ensemble = Ensemble(members, weights)
    averaged = predict(ensemble, inputs)
    torch.testing.assert_close(averaged[:, 0], (first + second)[:, 0] / 2)
    torch.testing.assert_close(averaged[:, 1], second[:, 1])
    spread = spread_of_members(ensemble, inputs)
    torch.testing.assert_close(spread[:, 0], (first - second)[:, 0].abs() / 2**0.5)
    assert spread[:, 1].isnan().all()  # one member tells no spread
