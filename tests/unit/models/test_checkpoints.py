import os
import pickle
import subprocess
import sys

import pytest
import torch
from made_models import SCHEMA, defaults, small_inputs, small_model, small_settings

from cisgrammar.common.config import read_schema
from cisgrammar.common.errors import InputError
from cisgrammar.models.abilities import PROTOCOLS
from cisgrammar.models.checkpoints import load_model, save_model
from cisgrammar.models.registry import MODELS


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


@pytest.fixture
def settings(name, pytestconfig):
    return small_settings(name, pytestconfig.rootpath)


@pytest.fixture
def build(name, pytestconfig):
    def build(seed=1, n_targets=3):
        return small_model(name, pytestconfig.rootpath, seed, n_targets)

    return build


@pytest.fixture
def inputs():
    return small_inputs()


def test_models_are_registered_under_their_names(name):
    assert MODELS[name].load().name == name


def test_models_can_do_what_the_registry_says(name, build):
    model = build()
    claimed = MODELS[name].abilities & set(PROTOCOLS)
    assert claimed == {each for each, kind in PROTOCOLS.items() if isinstance(model, kind)}


def test_the_registry_imports_no_torch(pytestconfig):
    code = "import sys, cisgrammar.models.registry; print({'torch', 'pandas'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(pytestconfig.rootpath / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set()"


def test_config_knows_models_and_their_search_spaces(name, pytestconfig):
    offered = read_schema(pytestconfig.rootpath / SCHEMA)["properties"]["models"]["items"]
    assert set(offered["enum"]) == set(MODELS)
    search = defaults(name, pytestconfig.rootpath)["search"]
    assert set(search) == set(MODELS[name].load().search)
    assert set(MODELS[name].load().search.values()) <= {"log_uniform", "choice"}
    assert {"learning_rate", "batch_size"} <= set(search)


def test_codes_go_in_and_targets_come_out(build, inputs):
    predicted = build(n_targets=4)(inputs)
    assert predicted.shape == (9, 4)
    assert predicted.dtype == torch.float32
    assert predicted.isfinite().all()


def test_every_weight_learns(build, inputs):
    model = build()
    model(inputs).square().sum().backward()
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


def test_predictions_of_a_sequence_do_not_depend_on_its_batch(build, inputs):
    model = build().eval()
    torch.testing.assert_close(model(inputs)[3:5], model(inputs.rows(torch.arange(3, 5))))


def test_a_checkpoint_gives_the_same_predictions(build, inputs, tmp_path):
    model = build()
    save_model(model, tmp_path / "model.pt")
    loaded = load_model(tmp_path / "model.pt")
    assert not loaded.training
    assert torch.equal(loaded(inputs), model.eval()(inputs))


def test_equal_models_give_equal_bytes(build, tmp_path):
    for name in ("one.pt", "two.pt"):
        save_model(build(), tmp_path / name)
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "two.pt").read_bytes()


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


@pytest.mark.parametrize("write", [torch.save, lambda x, p: p.write_bytes(pickle.dumps(x, 2))])
def test_checkpoints_run_no_code(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write({"model": "scover", "sizes": {}, "state": Harmful()}, tmp_path / "model.pt")
    with pytest.raises(InputError, match="not a checkpoint"):
        load_model(tmp_path / "model.pt")
    assert not (tmp_path / "harm").exists()


def test_a_checkpoint_holds_nothing_but_tensors_and_numbers(build, name, tmp_path):
    save_model(build(), tmp_path / "model.pt")
    checkpoint = torch.load(tmp_path / "model.pt", weights_only=True)
    assert set(checkpoint) == {"model", "sizes", "state"}
    assert checkpoint["model"] == name


@pytest.mark.parametrize(
    "content",
    [
        {"model": "unknown", "sizes": {}, "state": {}},
        {"sizes": {}},
        {"model": "scover", "sizes": {"n_targets": 1, "filters": 1, "width": 1}, "state": {}},
        {"model": "scover", "sizes": {"n_targets": 1}, "state": {}},
        [1, 2],
    ],
)
def test_other_contents_are_refused(content, tmp_path):
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(InputError, match=r"model\.pt: not a checkpoint.*scover"):
        load_model(tmp_path / "model.pt")


def test_damaged_and_missing_files_are_refused(build, tmp_path):
    save_model(build(), tmp_path / "model.pt")
    whole = (tmp_path / "model.pt").read_bytes()
    (tmp_path / "model.pt").write_bytes(whole[: len(whole) // 2])
    for name in ("model.pt", "absent.pt"):
        with pytest.raises(InputError, match=name):
            load_model(tmp_path / name)
