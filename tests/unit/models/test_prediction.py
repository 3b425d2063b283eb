import numpy as np
import torch

from cisgrammar.data.split import Inputs
from cisgrammar.models.base import Ensemble
from cisgrammar.models.prediction import predict, scanner, spread_of_members
from cisgrammar.models.scover import Scover


def test_a_scanner_goes_from_codes_to_maxima():
    model = Scover(3, 6, 5)
    codes = np.random.default_rng(1).integers(0, 4, (7, 12), dtype=np.uint8)
    expected = torch.cat([maxima for maxima, *_ in model.scan(torch.from_numpy(codes))])
    np.testing.assert_array_equal(scanner(model)(codes), expected.detach().numpy())


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
