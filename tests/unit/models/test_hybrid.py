import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional as F

from cisgrammar.common.threads import set_threads
from cisgrammar.data.augmentation import reverse_complement
from cisgrammar.data.folds import TEST, TRAIN, VALIDATION
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.binned_network import BinnedNetwork
from cisgrammar.models.checkpoints import load_model, save_model
from cisgrammar.models.kmer_regression import KmerRegression
from cisgrammar.models.linear_path import PENALTIES
from cisgrammar.models.objectives import level_and_differences
from cisgrammar.models.prediction import predict, spread_of_members
from cisgrammar.training.final_model import train_final

SETTINGS = {
    "filters": 6, "width": 5, "hidden": 4, "strands": None, "bins": None,
    "k": 3, "kmer_strands": "both", "kmer_bins": 1,
    "centred": 0.5, "max_shift": 1, "weight_decay": 0.01,
}  # fmt: skip
BEST = {"learning_rate": 0.005, "batch_size": 16, "dropout": 0.2, "seed": 1, "order_seed": 2}


@pytest.fixture(autouse=True)
def _one_thread():
    set_threads(1)


def dataset(targets, codes):
    """Give AnnData and folds of sequences: of ten, seven train and one validates."""
    data = ad.AnnData(targets.T.astype(np.float32))
    data.varm["codes"] = codes
    parts = np.resize([TRAIN] * 7 + [VALIDATION, TEST, TEST], len(codes))
    return data, pd.DataFrame({"gene_id": data.var_names, "fold0": parts})


def words(n=300, length=40, seed=1):
    """Give sequences of which half hold GATTACA, and another half, drawn apart, CCGTTGG."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, length), dtype=np.uint8)
    has = rng.random((n, 2)) < 0.5
    for column, (word, first) in enumerate(
        [([2, 0, 3, 3, 0, 1, 0], 5), ([1, 1, 2, 3, 3, 2, 2], 20)]
    ):
        codes[has[:, column], first : first + 7] = word
    return codes, has.astype(np.float32)


def trained(data, members=1, epochs=2, **settings):
    training = {"epochs": epochs, "patience": None, "members": members}
    return train_final("hybrid", *data, 0, SETTINGS | settings, BEST, training, "cpu")[0]


def network(bins=1, both=False, **others):
    sizes = {"filters": 3, "width": 4, "hidden": 5, "dropout": 0.0} | others
    made = BinnedNetwork(2, bins=bins, both_strands=both, **sizes)
    made.initialise(torch.Generator().manual_seed(1))
    return made.eval()


def by_hand(net, codes, bins):
    """Score every window by a plain convolution, and take the best that starts in each stretch."""
    width, length = net.motifs.shape[2], codes.shape[1]
    step = -(-length // bins)
    one_hot = F.one_hot(codes.long(), 5).float() @ torch.cat(
        [torch.eye(4), torch.full((1, 4), 0.25)]
    )
    padding = torch.full((len(codes), step * bins + width - 1 - length, 4), 0.25)
    padded = torch.cat([one_hot, padding], dim=1).transpose(1, 2)
    scores = F.conv1d(padded, net.motifs)
    if net.both_strands:
        scores = torch.maximum(scores, F.conv1d(padded, net.motifs.flip(1, 2)))
    return scores.view(len(codes), len(net.motifs), bins, step).amax(dim=3)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(("length", "bins"), [(20, 1), (20, 4), (22, 4)])
def test_matches_are_the_best_of_a_plain_convolution_in_each_stretch(length, bins, both):
    codes = torch.randint(0, 5, (7, length), dtype=torch.uint8)
    net = network(bins, both)
    torch.testing.assert_close(net.matches(codes), by_hand(net, codes, bins))


def test_on_both_strands_a_sequence_and_its_reverse_complement_are_one():
    codes = torch.randint(0, 4, (5, 20), dtype=torch.uint8)
    ends = torch.full((5, 3), 4, dtype=torch.uint8)  # as wide as what is padded after a sequence
    codes = torch.cat([ends, codes, ends], dim=1)
    net = network(1, both=True)
    torch.testing.assert_close(net.matches(codes), net.matches(reverse_complement(codes)))


def test_kmers_and_penalty_are_fitted_as_a_ridge_regression():
    codes, has = words()
    data, folds = dataset(has, codes)
    split = Split.of_fold(data, folds, 0)
    model = KmerRegression(2, [[3, 1]], both_strands=True)
    model.fit(split, split.targets)
    x = model.features.of(codes)[split.train.numpy()].toarray().astype(np.float64)
    y = has[split.train.numpy()]
    x0, y0 = x - x.mean(axis=0), y - y.mean(axis=0)
    unit = (x0**2).sum() / x.shape[1]
    all_of_them = [
        np.linalg.solve(x0.T @ x0 + p * unit * np.eye(x.shape[1]), x0.T @ y0) for p in PENALTIES
    ]
    errors = [np.abs(each - model.coefficients.numpy()).max() for each in all_of_them]
    assert min(errors) < 1e-4
    at_the_mean = torch.from_numpy(x.mean(axis=0)).float() @ model.coefficients + model.intercepts
    torch.testing.assert_close(at_the_mean, torch.from_numpy(y.mean(axis=0)), rtol=0, atol=1e-4)


def test_a_hybrid_predicts_what_its_parts_say_with_their_weights():
    data = dataset(words()[1], words()[0])
    model = trained(data, members=2)
    assert (model.level_weights >= 0).all()
    assert (model.difference_weights >= 0).all()
    model.level_weights.copy_(torch.tensor([0.6, 0.5]))
    model.difference_weights.copy_(torch.tensor([0.2, 0.9]))
    inputs = model.read_inputs(data[0])
    networks, kmers = model.predict_parts(inputs)
    expected = model.target_mean.clone()
    for part, level, difference in zip(
        (networks, kmers), model.level_weights, model.difference_weights, strict=True
    ):
        mean = part.mean(dim=1, keepdim=True)
        expected = expected + level * mean + difference * (part - mean)
    torch.testing.assert_close(model(inputs), expected)
    torch.testing.assert_close(model.predict_members(inputs).mean(dim=0), model(inputs))
    assert spread_of_members(model, inputs).max() > 0


def test_networks_that_say_the_opposite_get_no_weight():
    codes, has = words()
    data = dataset(has, codes)
    split = Split.of_fold(*data, 0)
    model = trained(data, epochs=10)
    model.scale.neg_()  # what networks say is now the opposite
    model._weigh_parts(split, *level_and_differences(split.targets, split.train))
    assert model.level_weights[0] == 0
    assert model.difference_weights[0] == 0


def test_test_sequences_change_nothing():
    codes, has = words()
    first = trained(dataset(has, codes))
    others = has.copy()
    _, folds = dataset(has, codes)
    others[(folds["fold0"] == TEST).to_numpy()] = 99
    second = trained(dataset(others, codes))
    for key, value in first.state_dict().items():
        torch.testing.assert_close(second.state_dict()[key], value, rtol=0, atol=0)


def test_a_hybrid_learns_planted_words_and_how_targets_differ():
    codes, has = words(600)
    data = dataset(has, codes)
    model = trained(data, members=2, epochs=25, filters=24, width=8, hidden=16)
    test = (data[1]["fold0"] == TEST).to_numpy()
    predicted = predict(model, model.read_inputs(data[0][:, test])).numpy()
    r = [np.corrcoef(predicted[:, i], has[test, i])[0, 1] for i in range(2)]
    assert min(r) > 0.8


def test_it_is_read_as_it_was_written(tmp_path):
    data = dataset(words()[1], words()[0])
    model = trained(data, members=2)
    save_model(model, tmp_path / "model.pt")
    again = load_model(tmp_path / "model.pt")
    inputs = model.read_inputs(data[0])
    torch.testing.assert_close(again(inputs), model(inputs), rtol=0, atol=0)


@pytest.mark.parametrize("targets", [1, 2])
def test_targets_that_do_not_differ_have_no_differences_to_weigh(targets):
    codes, has = words()
    model = trained(dataset(np.repeat(has[:, :1], targets, axis=1), codes))
    assert torch.isfinite(model(Inputs(torch.from_numpy(codes)))).all()
    assert (model.difference_weights == 0).all()
