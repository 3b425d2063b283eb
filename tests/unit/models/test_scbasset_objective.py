import numpy as np
import pytest
import torch
from made_accessibility import TRAINING, build, motif_split
from sklearn.metrics import roc_auc_score

from cisgrammar.common.errors import InputError
from cisgrammar.common.threads import set_threads
from cisgrammar.data.draws import Draws
from cisgrammar.data.split import Inputs
from cisgrammar.models.scbasset_objective import RunningAuroc
from cisgrammar.training.loop import Checkpoints, train


@pytest.fixture(autouse=True)
def _one_thread():
    set_threads(1)


def test_training_learns_the_motif_and_says_how_well():
    split, model = motif_split(), build()
    history = train(model, split, **{**TRAINING, "epochs": 40})
    assert list(history) == [
        "epoch", "train_loss", "train_auroc", "validation_loss", "validation_auroc", "best",
    ]  # fmt: skip
    assert history["train_auroc"].max() > 0.75 and history["validation_auroc"].max() > 0.75
    assert history["train_auroc"].iloc[0] < 0.65
    best = history.loc[history["best"], "epoch"].item()
    assert best == history["train_auroc"].argmax() + 1
    groups = model.head.weight.detach()
    apart = (groups[:15].mean(0) - groups[15:].mean(0)).norm()
    assert apart > 2 * groups[:15].std(0).norm()


def test_training_stops_when_the_training_auroc_no_longer_rises():
    history = train(build(least_auroc_gain=1.0), motif_split(), **{**TRAINING, "patience": 3})
    assert len(history) == 4 and history["best"].tolist() == [True, False, False, False]


def test_first_loss_is_the_published_one():
    """Mean cross-entropy of dense targets, and the two L2 terms."""
    changes = {"l2_cells": 0.3, "l2_batches": 0.7, "dropout": 0.0, "max_shift": 0}
    model = build(batch_of_target=[0, 1] * 15, **changes)
    split = motif_split()
    rows = split.train[:32]
    draws = Draws(torch.Generator().manual_seed(3))
    strand = torch.rand(1, generator=torch.Generator().manual_seed(3)).item() < 0.5
    (loss,) = model.objective(split).losses([model], split, rows, draws)
    codes = split.inputs.codes[rows]
    codes = (3 - codes).flip(1) if strand else codes
    logits = build(batch_of_target=[0, 1] * 15, **changes).train()(Inputs(codes))
    targets = split.targets.dense(rows).float()
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)
    expected += 0.3 * model.head.weight.square().sum()
    expected += 0.7 * model.batch_head.weight.square().sum()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("per_sequence", [False, True])
def test_killed_training_goes_on_to_the_same_result(tmp_path, per_sequence):
    split = motif_split()
    changes = {"augment_per_sequence": per_sequence}
    whole = build(**changes)
    expected = train(whole, split, **TRAINING)

    def kill(epoch, loss):
        if epoch == 5:
            raise KeyboardInterrupt

    checkpoints = Checkpoints(tmp_path / "state.pt", every=2)
    with pytest.raises(KeyboardInterrupt):
        train(build(**changes), split, **TRAINING, on_epoch=kill, checkpoints=checkpoints)
    epochs = []
    model = build(**changes)
    history = train(
        model, split, **TRAINING,
        checkpoints=checkpoints, on_epoch=lambda epoch, _: epochs.append(epoch),
    )  # fmt: skip
    assert epochs == [5, 6]
    assert history.equals(expected)
    for key, value in whole.state_dict().items():
        assert torch.equal(model.state_dict()[key], value)


def test_state_of_another_training_is_not_used(tmp_path):
    checkpoints = Checkpoints(tmp_path / "state.pt", every=1)
    settings = {**TRAINING, "epochs": 2}
    train(build(seed=2), motif_split(), **settings, checkpoints=checkpoints)
    epochs = []
    train(
        build(), motif_split(), **settings,
        checkpoints=checkpoints, on_epoch=lambda epoch, _: epochs.append(epoch),
    )  # fmt: skip
    assert epochs == [1, 2]


def test_a_damaged_state_is_not_used(tmp_path):
    checkpoints = Checkpoints(tmp_path / "state.pt", every=1)
    checkpoints.path.write_bytes(b"nothing")
    history = train(build(), motif_split(), **{**TRAINING, "epochs": 2}, checkpoints=checkpoints)
    assert len(history) == 2


def test_batches_are_even_and_leave_nothing_out():
    objective = build().objective(motif_split())
    sizes = [len(rows) for rows in objective.batches(torch.arange(129), 128)]
    assert sizes == [65, 64]


def test_fewer_peaks_than_a_batch_are_refused():
    with pytest.raises(InputError, match="160 peaks to train on are fewer than one batch of 161"):
        train(build(), motif_split(), **{**TRAINING, "batch_size": 161})


def test_auroc_over_batches_is_that_of_all_rows():
    rng = np.random.default_rng(1)
    truth = rng.random((300, 5)) < [0.1, 0.3, 0.5, 0.9, 0]  # the last cell has no open peak
    logits = rng.normal(size=(300, 5)) + truth
    auroc = RunningAuroc(5)
    for rows in np.array_split(np.arange(300), 7):
        auroc.add(torch.tensor(logits[rows]), torch.tensor(truth[rows]))
    expected = np.mean([roc_auc_score(truth[:, i], logits[:, i]) for i in range(4)])
    assert auroc.mean() == pytest.approx(expected, abs=2e-3)


def test_only_some_cells_are_watched_where_there_are_many():
    split = motif_split()
    objective = build(auroc_cells=7).objective(split)
    assert len(objective.watched_cells) == 7
    expected = split.targets.dense(torch.arange(9))[:, objective.watched_cells]
    assert torch.equal(objective.watched_targets.dense(torch.arange(9)), expected)


def test_bfloat16_trains_to_nearly_the_same():
    settings = {**TRAINING, "epochs": 20}
    aurocs = [
        train(build(precision=precision), motif_split(), **settings)["train_auroc"].max()
        for precision in ("float32", "bfloat16")
    ]
    assert aurocs[0] == pytest.approx(aurocs[1], abs=0.05)
