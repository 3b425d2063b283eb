"""What bases contribute: sums, every substitution by brute force, models written by hand."""

import numpy as np
import pytest
import torch
from made_models import lively_model, small_inputs

from cisgrammar.common.errors import InputError
from cisgrammar.data.split import Inputs
from cisgrammar.genome.sequence import N, encode
from cisgrammar.interpret.attributions import (
    deeplift,
    gradients,
    references,
    substitutions,
)
from cisgrammar.interpret.contributions import actual
from cisgrammar.models.base import Ensemble
from cisgrammar.models.prediction import predict
from cisgrammar.models.registry import MODELS, models_with
from cisgrammar.models.scover import Scover

WEIGHTS = np.array([0.5, 0.5, -1.0])  # of three targets: the mean of two minus the third
SEEDS = range(9)


def outputs(model, inputs):
    return predict(model, inputs).double().numpy() @ WEIGHTS


def spelled(word: str) -> Scover:
    """One filter that gives 1 for each base of a word that matches; the head doubles it."""
    model = Scover(n_targets=1, filters=1, width=len(word))
    with torch.no_grad():
        model.motifs.weight.zero_()
        model.motifs.weight[0, encode(word).astype(int), torch.arange(len(word))] = 1
        model.head.weight.fill_(2)
        model.head.bias.fill_(7)
    return model


def test_gradients_are_known_where_the_model_is_a_word():
    inputs = Inputs(torch.from_numpy(encode("AAGATTAA")[None]))
    found = gradients(spelled("GATT"), inputs, np.ones(1))[0]
    expected = np.zeros((4, 8))
    expected[:, 2:6] = -0.5  # a base of the word is worth 2, minus the mean of 2, 0, 0 and 0
    expected[encode("GATT").astype(int), np.arange(2, 6)] = 1.5
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(
        actual(found[None], inputs.codes.numpy()), [[0, 0, 1.5, 1.5, 1.5, 1.5, 0, 0]], atol=1e-6
    )


def test_substitutions_are_known_where_the_model_is_a_word():
    inputs = Inputs(torch.from_numpy(encode("AACCGATTCC")[None]))
    found = actual(substitutions(spelled("GATT"), inputs, np.ones(1)), inputs.codes.numpy())
    # without one base the best match is 3: minus 2, against the mean of 0, -2, -2 and -2
    np.testing.assert_allclose(found, [[0, 0, 0, 0, 1.5, 1.5, 1.5, 1.5, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("name", models_with("reads_bases"))
def test_deeplift_sums_to_the_difference_from_the_references(name, pytestconfig):
    model, inputs = lively_model(name, pytestconfig.rootpath), small_inputs()
    found, baseline = deeplift(model, inputs, WEIGHTS, n_references=4, seeds=SEEDS)
    codes = references(inputs.codes, 4, SEEDS).flatten(0, 1)
    shuffled = inputs.rows(torch.arange(9).repeat_interleave(4)).replace(codes=codes)
    expected = outputs(model, shuffled).reshape(9, 4).mean(axis=1)
    np.testing.assert_allclose(baseline, expected, atol=1e-5)
    sums = actual(found, inputs.codes.numpy()).sum(axis=1, dtype=np.float64)
    np.testing.assert_allclose(sums, outputs(model, inputs) - expected, atol=1e-4)
    assert np.abs(sums).max() > 1e-3


def test_deeplift_is_the_same_whatever_is_explained_beside(pytestconfig):
    model, inputs = lively_model("scbasset", pytestconfig.rootpath), small_inputs()
    together, _ = deeplift(model, inputs, WEIGHTS, n_references=3, seeds=SEEDS)
    alone, _ = deeplift(
        model, inputs.rows(torch.tensor([5])), WEIGHTS, n_references=3, seeds=[SEEDS[5]]
    )
    np.testing.assert_allclose(alone[0], together[5], atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_every_substitution_is_what_brute_force_says(name, pytestconfig):
    model, inputs = lively_model(name, pytestconfig.rootpath), small_inputs()
    found = substitutions(model, inputs, WEIGHTS, first=3, end=38)
    expected = np.zeros((9, 4, 40))
    for position in range(40):
        for base in range(4):
            codes = inputs.codes.clone()
            codes[:, position] = torch.where(codes[:, position] == N, N, base)
            expected[:, base, position] = outputs(model, inputs.replace(codes=codes))
    expected -= expected.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected[:, :, 3:38], rtol=1e-4, atol=2e-5)
    assert np.abs(expected).max() > 1e-3


@pytest.mark.parametrize("method", [substitutions, gradients])
def test_an_ensemble_has_the_mean_of_its_members(method, pytestconfig):
    members = [lively_model("scxpresso", pytestconfig.rootpath, seed) for seed in (1, 2)]
    inputs = small_inputs()
    found = method(Ensemble(members), inputs, WEIGHTS)
    expected = np.mean([method(member, inputs, WEIGHTS) for member in members], axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    share = np.linspace(0.1, 0.9, len(WEIGHTS))  # other weights for each target
    weighed = Ensemble(members, torch.tensor(np.stack([share, 1 - share]), dtype=torch.float32))
    both = zip(members, (share, 1 - share), strict=True)
    expected = sum(method(member, inputs, WEIGHTS * its) for member, its in both)
    np.testing.assert_allclose(method(weighed, inputs, WEIGHTS), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", models_with("reads_bases"))
def test_at_an_n_nothing_is_contributed(name, pytestconfig):
    model, inputs = lively_model(name, pytestconfig.rootpath), small_inputs()
    unknown = np.broadcast_to((inputs.codes.numpy() == N)[:, None], (9, 4, 40))
    for found in (
        substitutions(model, inputs, WEIGHTS),
        gradients(model, inputs, WEIGHTS),
        deeplift(model, inputs, WEIGHTS, n_references=2, seeds=SEEDS)[0],
    ):
        assert (found[unknown] == 0).all()
        assert np.abs(found).max() > 0


def test_a_network_that_reads_no_sequence_gives_bases_nothing(pytestconfig):
    model = lively_model("scxpresso", pytestconfig.rootpath, inputs="features")
    assert (gradients(model, small_inputs(), WEIGHTS) == 0).all()


def test_a_model_that_cannot_be_followed_back_says_what_can_be_asked(pytestconfig):
    model = lively_model("hybrid", pytestconfig.rootpath)
    with pytest.raises(InputError, match=r"hybrid cannot be followed back.*--method ism"):
        gradients(model, small_inputs(), WEIGHTS)
    with pytest.raises(InputError, match="hybrid cannot be followed back"):
        deeplift(model, small_inputs(), WEIGHTS, seeds=SEEDS)
