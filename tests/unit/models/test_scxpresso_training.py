"""How scXpresso is trained: apart by level, with shorter steps on a plateau, again if collapsed."""

import numpy as np
import pandas as pd
import pytest
import torch
from made_populations import BEST, SMALL, build, made_populations, settings_of

from cisgrammar.common.threads import set_threads
from cisgrammar.data.split import Split
from cisgrammar.models.checkpoints import load_model, save_model
from cisgrammar.models.scxpresso import Scxpresso
from cisgrammar.models.scxpresso_network import PopulationNetwork
from cisgrammar.models.scxpresso_objective import StandardisedError
from cisgrammar.training import final_model
from cisgrammar.training.final_model import train_final
from cisgrammar.training.loop import Checkpoints, train
from cisgrammar.training.tuning import tune

TRAINING = {"learning_rate": 0.005, "batch_size": 16, "epochs": 30, "patience": None, "seed": 7}


@pytest.fixture(autouse=True)
def _one_thread():
    set_threads(1)


def split_of(dataset, folds):
    return Split.of_fold(dataset, folds, 0, read_inputs=Scxpresso.read_inputs)


def prepared(dataset, split, **changes):
    model = build(dataset, **SMALL, **changes)
    model.prepare(split)
    return model


def trained(dataset, folds, checkpoints=None, members=2, epochs=4, **changes):
    settings = settings_of(**SMALL, **changes)
    training = {**settings, "members": members, "epochs": epochs}
    return train_final("scxpresso", dataset, folds, 0, settings, BEST, training, "cpu", checkpoints)


def same_weights(one, other):
    states = one.state_dict(), other.state_dict()
    return all(torch.equal(value, states[1][key]) for key, value in states[0].items())


def test_training_learns_what_targets_follow():
    dataset, folds = made_populations(n_genes=300)
    split = split_of(dataset, folds)
    model = prepared(dataset, split, flags=False)
    history = train(model, split, **TRAINING)
    assert list(history) == [
        "epoch", "train_loss", "validation_loss", "learning_rate", "best", "part",
    ]  # fmt: skip
    best = history[history["best"]].set_index("part")["validation_loss"]
    assert list(best.index) == ["tissue", "type"] and (best < 0.5).all()


def test_levels_are_trained_as_if_each_were_alone():
    dataset, folds = made_populations()
    split = split_of(dataset, folds)
    together, alone = (prepared(dataset, split, dropout=0.3) for _ in range(2))
    history = train(together, split, **TRAINING)
    for level, network in alone.parts().items():
        its_own = train(network, split, **TRAINING)
        assert same_weights(network, together.parts()[level])
        part = history[history["part"] == level].drop(columns="part").reset_index(drop=True)
        pd.testing.assert_frame_equal(part, its_own)


def test_steps_shorten_when_the_loss_has_not_fallen_for_more_epochs_than_allowed():
    objective = StandardisedError({"plateau_epochs": 2, "plateau_factor": 0.1})
    layer = torch.nn.Linear(1, 1)
    group = objective.optimizer(layer, 1.0).param_groups[0]
    torchs = torch.optim.Adam(torch.nn.Linear(1, 1).parameters(), lr=1.0)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(torchs, factor=0.1, patience=2)
    losses = [3, 2, 2, 2, 2, 1.5, 1.6, 1.49999, 1.5, 1.5, 1.5, 1.5, 1, 1.1]
    for loss in losses:
        objective._watch_plateau(group, loss)
        plateau.step(loss)
        assert group["lr"] == pytest.approx(torchs.param_groups[0]["lr"])
    assert group["lr"] < 0.1


def test_plateau_is_seen_in_training():
    dataset, folds = made_populations()
    split = split_of(dataset, folds)
    model = prepared(dataset, split, plateau_epochs=0, plateau_factor=0.5, share_levels=True)
    history = train(model, split, **TRAINING)
    loss, step = history["validation_loss"].to_numpy(), history["learning_rate"].to_numpy()
    falls = loss[1:-1] < np.minimum.accumulate(loss)[:-2] * (1 - 1e-4)
    np.testing.assert_allclose(step[2:] / step[1:-1], np.where(falls, 1, 0.5))


@pytest.mark.parametrize("killed_at", [1, 3, 6, 11])
def test_a_killed_ensemble_goes_on_to_the_same_bytes(tmp_path, monkeypatch, killed_at):
    dataset, folds = made_populations()
    model, history = trained(dataset, folds, dropout=0.3, plateau_epochs=0)
    save_model(model, tmp_path / "whole.pt")
    checkpoints = Checkpoints(tmp_path / "training.checkpoint", every=1)
    epochs = iter(range(1, 100))

    def killed(model, split, **settings):
        def note(epoch, loss):
            if next(epochs) == killed_at:
                raise KeyboardInterrupt

        return train(model, split, **settings, on_epoch=note)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(final_model, "train", killed)
        trained(dataset, folds, checkpoints, dropout=0.3, plateau_epochs=0)
    again, its_history = trained(dataset, folds, checkpoints, dropout=0.3, plateau_epochs=0)
    save_model(again, tmp_path / "again.pt")
    assert (tmp_path / "again.pt").read_bytes() == (tmp_path / "whole.pt").read_bytes()
    pd.testing.assert_frame_equal(its_history, history)
    np.testing.assert_array_equal(
        load_model(tmp_path / "again.pt")(model.read_inputs(dataset)).detach(),
        model(model.read_inputs(dataset)).detach(),
    )


def test_only_the_collapsed_network_is_trained_again_with_other_seeds(monkeypatch, caplog):
    dataset, folds = made_populations()
    plain, _ = trained(dataset, folds, members=1, flags=False)
    caplog.clear()
    asked = []

    def has_collapsed(self, split):
        asked.append(self.columns)
        return self.columns == [0] and asked.count([0]) < 3

    monkeypatch.setattr(PopulationNetwork, "has_collapsed", has_collapsed)
    model, history = trained(dataset, folds, members=1, flags=False)
    assert not same_weights(model.parts()["tissue"], plain.parts()["tissue"])
    assert same_weights(model.parts()["type"], plain.parts()["type"])
    attempts = history.groupby("part")["attempt"].unique()
    assert attempts["tissue"].tolist() == [2] and attempts["type"].tolist() == [0]
    assert caplog.text.count("the same for all sequences") == 2
    assert len(history) == 8


def test_a_feature_that_only_test_genes_lack_has_no_flag():
    dataset, folds = made_populations()
    features = np.nan_to_num(dataset.varm["features"])
    features[:5, 0] = np.nan  # of the training part
    features[-5:, 1] = np.nan  # of the test part: a weight of its flag would stay random
    dataset.varm["features"] = features
    model, _ = trained(dataset, folds, members=1, epochs=1)
    assert {tuple(network.flagged) for network in model.networks} == {(0,)}


def test_networks_weigh_by_what_they_tell_of_the_validation_genes():
    dataset, folds = made_populations(n_genes=300)
    split = split_of(dataset, folds)
    members = [prepared(dataset, split) for _ in range(3)]
    for member, rate in zip(members, (0.005, 0.003, 0.002), strict=True):
        train(member, split, **TRAINING | {"learning_rate": rate, "epochs": 10})
    with torch.no_grad():  # the third knows nothing of the tissue
        members[2].networks[0].head.weight.zero_()
    joined = Scxpresso.join(members, split)
    weights = joined.weights.numpy()
    assert (weights >= 0).all() and weights[2, 0] < 0.01
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-6)
    assert (weights[:, 1:] == weights[:, 1:2]).all()  # a network has one weight
    seen = split.targets[split.validation]
    with torch.no_grad():
        each = joined.predict_members(split.inputs.rows(split.validation))
    steps = np.linspace(0, 1, 41)
    others = [np.array([a, b, 1 - a - b]) for a in steps for b in steps if a + b <= 1]
    for network in members[0].networks:
        errors = ((each - seen)[:, :, network.columns] / network.target_std).numpy()

        def error(its, errors=errors):
            return np.square(np.tensordot(its, errors, 1)).mean()

        assert error(weights[:, network.columns[0]]) <= min(map(error, others)) + 1e-6
    for member in members:
        member.weighs_members = False
    assert (Scxpresso.join(members, split).weights == 1 / 3).all()


def test_a_search_trains_all_networks_at_once(tmp_path):
    dataset, folds = made_populations()
    split = split_of(dataset, folds)
    search = {"learning_rate": [1e-4, 1e-2], "batch_size": [16]}
    settings = Scxpresso.complete_settings(settings_of(**SMALL, search=search), dataset)
    best, table = tune(
        "scxpresso", split, settings, trials=2, epochs=2, grace=1, reduction=2, seed=1,
        journal=tmp_path / "journal",
    )  # fmt: skip
    assert len(table) == 2 and 1e-4 <= best["learning_rate"] <= 1e-2


def test_retries_are_bounded(monkeypatch):
    dataset, folds = made_populations()
    monkeypatch.setattr(PopulationNetwork, "has_collapsed", lambda *_: True)
    _, history = trained(dataset, folds, members=1, retries=1, share_levels=True)
    assert history["attempt"].unique().tolist() == [1] and len(history) == 4


def test_a_network_with_one_constant_population_has_collapsed():
    dataset, folds = made_populations()
    split = split_of(dataset, folds)
    network = prepared(dataset, split).parts()["type"]
    assert not network.has_collapsed(split)
    with torch.no_grad():
        network.head.weight[2] = 0  # the last of three
    assert network.has_collapsed(split)


def test_a_network_whose_filters_have_all_died_has_collapsed():
    """Its predictions differ by features alone, so that their variance does not tell."""
    dataset, folds = made_populations()
    split = split_of(dataset, folds)
    network = prepared(dataset, split).parts()["type"]
    with torch.no_grad():
        network.second.bias[:-1] = -100
        assert not network.has_collapsed(split)
        network.second.bias[-1] = -100
    assert network.standardised(split.inputs).std(dim=0).min() > 0.01
    assert network.has_collapsed(split)
