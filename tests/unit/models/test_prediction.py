"""A scanner gives the filters' maxima as an array."""

import numpy as np
import torch

from cisgrammar.models.prediction import scanner
from cisgrammar.models.scover import Scover


def test_a_scanner_goes_from_codes_to_maxima():
    model = Scover(3, 6, 5)
    codes = np.random.default_rng(1).integers(0, 4, (7, 12), dtype=np.uint8)
    expected = torch.cat([maxima for maxima, _ in model.scan(torch.from_numpy(codes))])
    np.testing.assert_array_equal(scanner(model)(codes), expected.detach().numpy())
