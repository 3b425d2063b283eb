import os
import pickle

import numpy as np
import pytest
import torch

from cisgrammar import models
from cisgrammar.checks.config import complete_config
from cisgrammar.common.config import read_schema
from cisgrammar.common.errors import InputError

SCHEMA = "workflow/schemas/config.schema.yaml"
SETTINGS = {
    "scover": {"filters": 6, "width": 5},
    "scbasset": {
        "length": 40,
        "stem_filters": 6,
        "stem_width": 5,
        "tower_filters": [5, 4],
        "last_filters": 4,
        "bottleneck": 3,
    },
}


def middle(kind, space):
    """Give a value inside a search space."""
    return space[0] if kind == "choice" else float(np.sqrt(space[0] * space[1]))


def defaults(family, root):
    config = complete_config({"name": "x"}, read_schema(root / SCHEMA))
    return config[family]


@pytest.fixture(params=models.FAMILIES)
def family(request):
    return request.param


@pytest.fixture
def settings(family, pytestconfig):
    return {**defaults(family, pytestconfig.rootpath), **SETTINGS[family]}


@pytest.fixture
def build(family, settings):
    values = {
        name: middle(kind, settings["search"][name])
        for name, kind in models.FAMILIES[family].search.items()
    }
    return lambda seed=1, n_targets=3: models.build(family, n_targets, settings, values, seed)


@pytest.fixture
def codes():
    return torch.from_numpy(np.random.default_rng(1).integers(0, 5, (9, 40), dtype=np.uint8))


def test_families_are_registered_under_their_names(family):
    assert models.FAMILIES[family].name == family


def test_config_knows_families_and_their_search_spaces(family, pytestconfig):
    offered = read_schema(pytestconfig.rootpath / SCHEMA)["properties"]["families"]["items"]
    assert set(offered["enum"]) <= set(models.FAMILIES)
    search = defaults(family, pytestconfig.rootpath)["search"]
    assert set(search) == set(models.FAMILIES[family].search)
    assert set(models.FAMILIES[family].search.values()) <= {"log_uniform", "choice"}
    assert {"learning_rate", "batch_size"} <= set(search)


def test_codes_go_in_and_targets_come_out(build, codes):
    predicted = build(n_targets=4)(codes)
    assert predicted.shape == (9, 4)
    assert predicted.dtype == torch.float32
    assert predicted.isfinite().all()


def test_every_weight_learns(build, codes):
    model = build()
    model(codes).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_same_seed_same_weights(build):
    one, same, other = (build(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not all(torch.equal(one[key], other[key]) for key in one)


def test_weights_do_not_depend_on_the_global_random_state(build):
    torch.manual_seed(1)
    one = build().state_dict()
    torch.manual_seed(2)
    assert all(torch.equal(one[key], value) for key, value in build().state_dict().items())


def test_predictions_of_a_sequence_do_not_depend_on_its_batch(build, codes):
    model = build().eval()
    torch.testing.assert_close(model(codes)[3:5], model(codes[3:5]))


def test_a_checkpoint_gives_the_same_predictions(build, codes, tmp_path):
    model = build()
    models.save(model, tmp_path / "model.pt")
    loaded = models.load(tmp_path / "model.pt")
    assert not loaded.training
    assert torch.equal(loaded(codes), model.eval()(codes))


def test_equal_models_give_equal_bytes(build, tmp_path):
    for name in ("one.pt", "two.pt"):
        models.save(build(), tmp_path / name)
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "two.pt").read_bytes()


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


@pytest.mark.parametrize("write", [torch.save, lambda x, p: p.write_bytes(pickle.dumps(x, 2))])
def test_checkpoints_run_no_code(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write({"family": "scover", "sizes": {}, "state": Harmful()}, tmp_path / "model.pt")
    with pytest.raises(InputError, match="not a checkpoint"):
        models.load(tmp_path / "model.pt")
    assert not (tmp_path / "harm").exists()


def test_a_checkpoint_holds_nothing_but_tensors_and_numbers(build, family, tmp_path):
    models.save(build(), tmp_path / "model.pt")
    checkpoint = torch.load(tmp_path / "model.pt", weights_only=True)
    assert set(checkpoint) == {"family", "sizes", "state"}
    assert checkpoint["family"] == family


@pytest.mark.parametrize(
    "content",
    [
        {"family": "unknown", "sizes": {}, "state": {}},
        {"sizes": {}},
        {"family": "scover", "sizes": {"n_targets": 1, "filters": 1, "width": 1}, "state": {}},
        {"family": "scover", "sizes": {"n_targets": 1}, "state": {}},
        [1, 2],
    ],
)
def test_other_contents_are_refused(content, tmp_path):
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(InputError, match=r"model\.pt: not a checkpoint.*scover"):
        models.load(tmp_path / "model.pt")


def test_damaged_and_missing_files_are_refused(build, tmp_path):
    models.save(build(), tmp_path / "model.pt")
    whole = (tmp_path / "model.pt").read_bytes()
    (tmp_path / "model.pt").write_bytes(whole[: len(whole) // 2])
    for name in ("model.pt", "absent.pt"):
        with pytest.raises(InputError, match=name):
            models.load(tmp_path / name)
