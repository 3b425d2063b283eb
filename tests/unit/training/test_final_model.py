import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch

from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import TEST, TRAIN, VALIDATION
from cisgrammar.models.base import Ensemble
from cisgrammar.models.checkpoints import load_model, save_model
from cisgrammar.models.scover import Scover
from cisgrammar.training import final_model
from cisgrammar.training.final_model import train_final
from cisgrammar.training.loop import Checkpoints

SETTINGS = {"filters": 4, "width": 6}
BEST = {
    "learning_rate": 0.01, "sigma_motifs": 0.1, "sigma_net": 0.1,
    "batch_size": 8, "seed": 3, "order_seed": 4,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread():
    set_threads(1)


@pytest.fixture(autouse=True)
def _joined_as_most_models_are(monkeypatch):
    monkeypatch.delattr(Scover, "join")  # it has a way of its own


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    dataset = ad.AnnData(rng.random((3, 40), dtype=np.float32))
    dataset.varm["codes"] = rng.integers(0, 4, (40, 30), dtype=np.uint8)
    parts = [TRAIN] * 28 + [VALIDATION] * 6 + [TEST] * 6
    return dataset, pd.DataFrame({"gene_id": dataset.var_names, "fold0": parts})


def trained(data, members=1, checkpoints=None):
    training = {"epochs": 4, "patience": None, "members": members}
    return train_final("scover", *data, 0, SETTINGS, BEST, training, "cpu", checkpoints)


def state(model):
    return {key: value.numpy() for key, value in model.state_dict().items()}


def test_the_first_member_is_the_model_that_is_trained_alone(data):
    alone, history = trained(data)
    together, histories = trained(data, members=2)
    assert isinstance(together, Ensemble)
    for key, value in state(alone).items():
        np.testing.assert_array_equal(state(together.members[0])[key], value)
        assert (state(together.members[1])[key] != value).any()
    assert "member" not in history
    assert histories["member"].tolist() == [0] * 4 + [1] * 4


def test_an_ensemble_predicts_the_average_of_its_members(data):
    model, _ = trained(data, members=3)
    inputs = model.read_inputs(data[0])
    each = torch.stack([member(inputs) for member in model.members])
    torch.testing.assert_close(model(inputs), each.mean(dim=0))
    torch.testing.assert_close(model.predict_members(inputs), each)


def test_an_ensemble_is_read_as_it_was_written(data, tmp_path):
    model, _ = trained(data, members=2)
    save_model(model, tmp_path / "model.pt")
    again = load_model(tmp_path / "model.pt")
    assert again.name == "scover"
    torch.testing.assert_close(again(model.read_inputs(data[0])), model(model.read_inputs(data[0])))


@pytest.mark.parametrize("killed_at", [1, 2, 6])
def test_a_killed_ensemble_goes_on_to_the_same_weights(data, tmp_path, monkeypatch, killed_at):
    whole, history = trained(data, members=2)
    checkpoints = Checkpoints(tmp_path / "training.checkpoint", every=1)
    epochs = iter(range(1, 100))

    def killed(model, split, **settings):
        def note(epoch, loss):
            if next(epochs) == killed_at:
                raise KeyboardInterrupt

        return real(model, split, **settings, on_epoch=note)

    real = final_model.train
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(final_model, "train", killed)
        trained(data, members=2, checkpoints=checkpoints)
    again, its_history = trained(data, members=2, checkpoints=checkpoints)
    for key, value in state(whole).items():
        np.testing.assert_array_equal(state(again)[key], value)
    pd.testing.assert_frame_equal(its_history, history)
    assert list(tmp_path.iterdir())
    checkpoints.remove()
    assert not list(tmp_path.iterdir())
