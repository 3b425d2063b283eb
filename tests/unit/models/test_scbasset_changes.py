import numpy as np
import pytest
import torch

from cisgrammar.models.scbasset import Scbasset
from cisgrammar.models.scbasset_changes import ChangedSequences

SETTINGS = {
    "length": 61, "stem_filters": 6, "stem_width": 7, "stem_pool": 3, "tower_filters": [5, 7],
    "tower_width": 5, "tower_pool": 2, "last_filters": 4, "bottleneck": 3, "dropout": 0.2,
    "precision": "float32",
}  # fmt: skip


def trained(**changes):
    generator = torch.Generator().manual_seed(1)
    model = Scbasset.build(2, {**SETTINGS, **changes}, {}, generator)
    for key, value in model.state_dict().items():
        if "running_var" in key:
            value.uniform_(0.5, 2, generator=generator)
        elif value.dim() == 1 and value.is_floating_point():
            value.normal_(generator=generator)
    return model.eval()


@pytest.mark.parametrize("width", [1, 4, 20])
@pytest.mark.parametrize(
    "changes", [{}, {"length": 200}, {"stem_pool": 4, "tower_width": 4}, {"stem_width": 6}]
)
def test_changes_anywhere_give_what_the_whole_network_gives(width, changes):
    model = trained(**changes)
    length = model.sizes()["length"]
    rng = np.random.default_rng(1)
    codes = torch.from_numpy(rng.integers(0, 5, (3, length), dtype=np.uint8))
    starts = torch.arange(length - width + 1)  # from one end to the other
    rows = torch.from_numpy(rng.integers(0, 3, len(starts)))
    patches = torch.from_numpy(rng.integers(0, 4, (len(starts), width), dtype=np.uint8))
    whole = codes[rows]
    whole.scatter_(1, starts[:, None] + torch.arange(width), patches)
    changed = ChangedSequences(model, codes)
    with torch.no_grad():
        torch.testing.assert_close(changed.embed(), model.embed(codes))
        found, expected = changed.embed_changed(rows, starts, patches), model.embed(whole)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert (found - changed.embed()[rows]).abs().max() > 1e-3
