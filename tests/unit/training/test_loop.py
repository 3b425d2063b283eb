import os

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from torch import nn

from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import TEST, TRAIN, VALIDATION
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.objectives import mean_squared_errors
from cisgrammar.models.prediction import predict
from cisgrammar.models.scover import Scover
from cisgrammar.training.loop import Diverged, train, train_side_by_side

SETTINGS = {"learning_rate": 0.01, "batch_size": 8, "epochs": 5, "patience": None, "seed": 1}


@pytest.fixture(autouse=True)
def _one_thread():
    set_threads(1)


class Scripted(SequenceModel):
    """Predict w for every sequence; the validation loss after epoch i is script[i - 1]."""

    def __init__(self, script):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1))
        self.register_buffer("epoch", torch.zeros((), dtype=torch.int64))
        self.script = script

    def train(self, mode=True):
        if mode:
            self.epoch += 1
        return super().train(mode)

    def forward(self, inputs):
        if self.training:
            return self.w.expand(len(inputs), 1)
        # the targets of `flat` are 0
        return torch.full((len(inputs), 1), self.script[int(self.epoch) - 1] ** 0.5)


def flat(n=10):
    return Split(
        Inputs(torch.zeros((n, 5), dtype=torch.uint8)),
        torch.zeros((n, 1)),
        torch.arange(n // 2),
        torch.arange(n // 2, n),
    )


def motif_split(n=120, length=30, seed=1):
    """Give sequences whose targets rise where GATTACA stands."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, length), dtype=np.uint8)
    there = rng.random(n) < 0.5
    codes[there, 5:12] = [2, 0, 3, 3, 0, 1, 0]
    targets = there[:, None] * np.array([1.0, -1, 0]) + rng.normal(0, 0.05, (n, 3))
    rows = torch.arange(n)
    return Split(
        Inputs(torch.from_numpy(codes)),
        torch.from_numpy(targets.astype(np.float32)),
        rows[:90],
        rows[90:],
    )


def scover(n_targets=3, seed=1):
    settings = {"filters": 8, "width": 7}
    hyperparameters = {"sigma_motifs": 0.3, "sigma_net": 0.3}
    return Scover.build(n_targets, settings, hyperparameters, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    "script, patience, epochs, best",
    [
        ([3, 2, 1, 4], None, 4, 3),
        ([3, 2, 1, 0.5], 1, 4, 4),
        ([3, 4, 1, 0.5], 1, 2, 1),  # one epoch without a better loss ends it
        ([3, 4, 1, 0.5], 2, 4, 4),
        ([3, 4, 5, 0.5], 2, 3, 1),
        ([3, 3, 3, 3], 2, 3, 1),  # an equal loss is no better one
        ([3, 4, 2, 5, 6], 2, 5, 3),
        ([3, float("nan"), 1], None, 2, 1),  # what is not finite will not come back
        ([3, float("inf"), 1], 5, 2, 1),
    ],
)
def test_patience_and_best_epoch_by_table(script, patience, epochs, best):
    model = Scripted(script)
    settings = {**SETTINGS, "epochs": len(script), "patience": patience}
    history = train(model, flat(), **settings)
    assert history["epoch"].tolist() == list(range(1, epochs + 1))
    assert history["validation_loss"].tolist() == pytest.approx(script[:epochs], nan_ok=True)
    assert history.loc[history["best"], "epoch"].tolist() == [best]
    assert int(model.epoch) == best  # its state is that of the best epoch
    assert not model.training


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_never_finite_is_divergence(loss):
    with pytest.raises(Diverged, match=r"learning rate 0\.01"):
        train(Scripted([loss] * 3), flat(), **SETTINGS)


def test_best_weights_are_restored():
    split, model = motif_split(), scover()
    states = []

    def keep(epoch, loss):
        states.append({key: value.clone() for key, value in model.state_dict().items()})

    # a step this large overshoots, so that the last epoch is not the best
    settings = {**SETTINGS, "learning_rate": 0.3, "epochs": 8}
    history = train(model, split, **settings, on_epoch=keep)
    best = int(history["validation_loss"].argmin())
    assert best < 7
    assert all(torch.equal(states[best][key], value) for key, value in model.state_dict().items())
    assert (
        mean_squared_errors([model], split, split.validation)[0] == history["validation_loss"].min()
    )


def test_training_learns_the_motif():
    split, model = motif_split(), scover()
    before = mean_squared_errors([model], split, split.validation)[0]
    history = train(model, split, **{**SETTINGS, "epochs": 30})
    assert history["validation_loss"].min() < before / 5
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0] / 5


def test_same_seed_same_history_and_another_order_another():
    split = motif_split()
    one, same, other = (train(scover(), split, **{**SETTINGS, "seed": s}) for s in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


@pytest.mark.skipif(os.cpu_count() < 2, reason="one processor")
def test_history_does_not_depend_on_threads():
    histories = []
    for threads in (2, 1):
        set_threads(threads)
        histories.append(train(scover(), motif_split(), **SETTINGS))
    assert histories[0].equals(histories[1])


def test_training_never_sees_other_rows():
    split, model = motif_split(), scover()
    changed = Split(
        Inputs(split.inputs.codes.clone()),
        split.targets.clone(),
        split.train,
        split.validation[:10],
    )
    changed.targets[100:] = torch.nan
    changed.inputs.codes[100:] = 0
    reduced = Split(split.inputs, split.targets, split.train, split.validation[:10])
    assert train(model, changed, **SETTINGS).equals(train(scover(), reduced, **SETTINGS))


def test_first_epoch_is_adam_on_the_mean_squared_error():
    split, model, reference = motif_split(), scover(), scover()
    settings = {**SETTINGS, "epochs": 1, "batch_size": 1000}
    history = train(model, split, **settings)
    optimizer = torch.optim.Adam(reference.parameters(), lr=0.01)
    loss = nn.functional.mse_loss(reference(Inputs(split.inputs.codes[:90])), split.targets[:90])
    loss.backward()
    optimizer.step()
    assert history["train_loss"][0] == pytest.approx(loss.item(), rel=1e-5)
    for one, other in zip(model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_an_exception_of_the_caller_stops():
    def stop(epoch, loss):
        if epoch == 2:
            raise StopIteration

    with pytest.raises(StopIteration):
        train(scover(), motif_split(), **SETTINGS, on_epoch=stop)


@pytest.mark.parametrize("n", [1, 1024, 1025, 2100])
def test_batches_of_evaluation_leave_nothing_out(n):
    rng = np.random.default_rng(1)
    codes = torch.from_numpy(rng.integers(0, 4, (n, 10), dtype=np.uint8))
    targets = torch.from_numpy(rng.normal(size=(n, 3)).astype(np.float32))
    split = Split(Inputs(codes), targets, torch.arange(0), torch.arange(n).flip(0))
    model = scover()
    predicted = predict(model, Inputs(codes))
    assert predicted.shape == (n, 3)
    expected = (predicted.double() - targets).square().mean().item()
    assert mean_squared_errors([model], split, split.validation)[0] == pytest.approx(
        expected, rel=1e-5
    )


def test_split_takes_its_rows_out_of_the_data_set():
    data = ad.AnnData(np.arange(12, dtype=np.float32).reshape(3, 4))
    data.varm["codes"] = np.arange(20, dtype=np.uint8).reshape(4, 5) % 5
    folds = pd.DataFrame({"fold0": [TEST] * 4, "fold1": [VALIDATION, TEST, TRAIN, TRAIN]})
    split = Split.of_fold(data, folds, 1)
    assert split.targets.tolist() == data.X.T.tolist()
    assert split.inputs.codes.tolist() == data.varm["codes"].tolist()
    assert split.inputs.codes.dtype == torch.uint8
    assert split.train.tolist() == [2, 3]
    assert split.validation.tolist() == [0]


@pytest.mark.parametrize("backed", [None, "r"])
def test_sparse_targets_stay_sparse_and_may_stay_in_their_file(tmp_path, backed):
    is_open = sparse.random(30, 4, 0.4, "csr", np.uint8, 1, data_rvs=np.ones)
    data = ad.AnnData(is_open)
    data.varm["codes"] = np.zeros((4, 5), dtype=np.uint8)
    data.write_h5ad(tmp_path / "accessibility.h5ad")
    data = ad.read_h5ad(tmp_path / "accessibility.h5ad", backed=backed)
    folds = pd.DataFrame({"fold0": [VALIDATION, TEST, TRAIN, TRAIN]})
    split = Split.of_fold(data, folds, 0)
    assert (split.targets.dense(torch.arange(4)).numpy() == is_open.toarray().T).all()


def test_models_side_by_side_train_as_if_each_were_alone():
    split = motif_split()
    rates = [3e-3, 1e-2, 3e-2]
    alone = [scover(seed=i) for i in range(3)]
    settings = {"batch_size": 32, "epochs": 4, "patience": None, "seed": 5}
    histories = [
        train(model, split, learning_rate=rate, **settings)
        for model, rate in zip(alone, rates, strict=True)
    ]
    together = [scover(seed=i) for i in range(3)]
    stopped = train_side_by_side(
        together,
        split,
        learning_rates=rates,
        **settings,
        stop=lambda number, epoch, loss: number == 1 and epoch == 2,
    )
    assert [len(history) for history in stopped] == [4, 2, 4]
    for history, expected in zip(stopped, histories, strict=True):
        columns = ["train_loss", "validation_loss"]
        np.testing.assert_allclose(history[columns], expected[columns][: len(history)], rtol=1e-5)
    torch.testing.assert_close(
        together[2].state_dict(), alone[2].state_dict(), rtol=1e-4, atol=1e-6
    )
