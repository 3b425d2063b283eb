import numpy as np
import pytest
import torch
from made_populations import SMALL, build, made_populations, settings_of
from torch import nn

from cisgrammar.common.errors import InputError
from cisgrammar.common.threads import set_threads
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.layer_lengths import layer_lengths, shortest_window
from cisgrammar.models.scxpresso import Scxpresso


@pytest.fixture(autouse=True)
def _one_thread():
    set_threads(1)


def n_parameters(model):
    return sum(p.numel() for p in model.parameters())


def published(n_outputs, n_features=5):
    """State the published network once more, in layers of PyTorch alone, for 10,500 bases."""
    head = (
        [nn.Linear(64, n_outputs)]
        if n_outputs > 1
        else [nn.Linear(64, 2), nn.ReLU(), nn.Dropout(0.01546), nn.Linear(2, 1)]
    )
    return nn.ModuleDict(
        {
            "sequence": nn.Sequential(
                nn.Conv1d(4, 128, 6, padding=2), nn.ReLU(), nn.MaxPool1d(30, padding=1),
                nn.Conv1d(128, 32, 9, padding=4), nn.ReLU(), nn.MaxPool1d(10), nn.Flatten(),
            ),
            "rest": nn.Sequential(
                nn.Linear(1120 + n_features, 64), nn.ReLU(), nn.Dropout(0.00099), *head
            ),
        }
    )  # fmt: skip


def run_published(layers, codes, features):
    one_hot = torch.eye(5)[codes.long()][:, :, :4].transpose(1, 2).clone()
    one_hot[(codes == 4)[:, None].expand_as(one_hot)] = 0.25
    return layers["rest"](torch.cat([layers["sequence"](one_hot), features], dim=1))


@pytest.mark.parametrize("n, expected", [(1, 112_293), (2, 112_290), (20, 113_460)])
def test_network_is_the_published_one(n, expected):
    dataset, _ = made_populations(6, 10_500, ["type"] * n)
    dataset.varm["features"] = np.random.default_rng(2).normal(size=(6, 5)).astype(np.float32)
    dataset.varm["codes"][0, 100:200] = 4
    model = build(dataset).eval()
    assert n_parameters(model) == expected
    assert n == 1 or expected == 112_160 + 65 * n
    other = published(n).eval()
    with torch.no_grad():
        for one, copy in zip(model.parameters(), other.parameters(), strict=True):
            assert one.shape == copy.shape
            copy.copy_(one)
    inputs = model.read_inputs(dataset)
    (network,) = model.parts().values()
    network.target_mean.fill_(2.0)
    network.target_std.fill_(3.0)
    predicted = model(inputs)
    again = 3 * run_published(other, inputs.codes, inputs["features"]) + 2
    torch.testing.assert_close(predicted, again, rtol=1e-5, atol=1e-5)
    predicted.square().sum().backward()
    again.square().sum().backward()
    for one, copy in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(
            one.grad, copy.grad, rtol=1e-4, atol=1e-5 * copy.grad.abs().max()
        )


PUBLISHED = {"width": 6, "pool": 30, "second_width": 9, "second_pool": 10}


@pytest.mark.parametrize(
    "length, expected",
    [
        (10_500, (10_499, 350, 350, 35)),
        (1000, (999, 33, 33, 3)),
        (299, (298, 10, 10, 1)),
        (298, (297, 9, 9, 0)),
    ],
)
def test_lengths_of_layers(length, expected):
    assert layer_lengths(length, PUBLISHED) == expected
    x = torch.zeros(1, 4, length)
    x = nn.Conv1d(4, 1, 6, padding=2)(x)
    assert x.shape[2] == expected[0]
    x = nn.MaxPool1d(30, padding=1)(x)
    assert x.shape[2] == expected[1]


def test_windows_that_pooling_cannot_take_are_refused():
    assert shortest_window(PUBLISHED) == 299
    dataset, _ = made_populations(6, 298)
    with pytest.raises(InputError, match=r"298 bases long.* at least 299 bases"):
        build(dataset)
    assert build(dataset, inputs="features") and build(dataset, pool=20)


@pytest.mark.parametrize("inputs", ["sequence", "features", "both"])
def test_networks_read_what_they_are_asked_to(inputs):
    dataset, _ = made_populations()
    model = build(dataset, **SMALL, inputs=inputs).eval()
    given = model.read_inputs(dataset)
    plain = model(given)
    other_codes = given.replace(codes=given.codes.flip(1))
    other_features = given.replace(features=given["features"] + 1)
    assert torch.equal(model(other_codes), plain) == (inputs == "features")
    assert torch.equal(model(other_features), plain) == (inputs == "sequence")


def test_data_without_features_suit_a_network_of_sequence_alone():
    dataset, _ = made_populations()
    del dataset.varm["features"]
    assert build(dataset, **SMALL, inputs="sequence")
    with pytest.raises(InputError, match="inputs` asks for features"):
        build(dataset, **SMALL)


@pytest.mark.parametrize("flags", [False, True])
def test_what_is_not_annotated_is_the_mean_and_a_flag_if_asked(flags):
    dataset, folds = made_populations()
    dataset.varm["features"][:, 1] = np.arange(dataset.n_vars)  # no gene lacks it: no flag
    model = build(dataset, **SMALL, flags=flags, inputs="features")
    split = Split.of_fold(dataset, folds, 0, read_inputs=Scxpresso.read_inputs)
    model.prepare(split)
    network = model.parts()["type"]
    features = torch.tensor([[float("nan"), 1.0, 2.0]])
    z = network.standard_features(features)
    assert z[0, 0] == 0 and z.shape[1] == (5 if flags else 3)
    if flags:
        assert z[0, 3:].tolist() == [1, 0]
    known = split.inputs["features"][split.train].numpy()
    expected = (1.0 - np.nanmean(known[:, 1])) / np.nanstd(known[:, 1])
    assert z[0, 1].item() == pytest.approx(expected, rel=1e-5)


def test_scalers_see_no_gene_beyond_the_training_part():
    dataset, folds = made_populations()
    models = []
    for spoiled in (False, True):
        if spoiled:
            others = (folds["fold0"] != "train").to_numpy()
            dataset.X[:, others] = 1e6
            dataset.varm["features"][others] = -1e6
        model = build(dataset, **SMALL)
        model.prepare(Split.of_fold(dataset, folds, 0, read_inputs=Scxpresso.read_inputs))
        models.append(dict(model.named_buffers()))
    assert models[0]["networks.0.target_mean"].shape == (1,)
    for key, value in models[0].items():
        assert torch.equal(value, models[1][key]), key


def test_scalers_of_training_targets():
    dataset, folds = made_populations()
    model = build(dataset, **SMALL)
    split = Split.of_fold(dataset, folds, 0, read_inputs=Scxpresso.read_inputs)
    model.prepare(split)
    z = model.parts()["type"].standardise(split.targets[split.train])
    torch.testing.assert_close(z.mean(dim=0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(z.std(dim=0, correction=0), torch.ones(3), atol=1e-5, rtol=0)


def test_a_constant_target_or_feature_is_divided_by_one():
    dataset, folds = made_populations()
    dataset.X[1], dataset.varm["features"][:, 2] = 7, np.nan
    model = build(dataset, **SMALL)
    split = Split.of_fold(dataset, folds, 0, read_inputs=Scxpresso.read_inputs)
    model.prepare(split)
    assert torch.isfinite(model(split.inputs)).all()


def test_levels_have_networks_of_their_own_and_outputs_keep_their_order():
    levels = ["type", "tissue", "type"]
    dataset, _ = made_populations(levels=levels)
    model = build(dataset, **SMALL).eval()
    assert {level: part.columns for level, part in model.parts().items()} == {
        "type": [0, 2], "tissue": [1],
    }  # fmt: skip
    inputs = model.read_inputs(dataset)
    types, tissue = (model.parts()[level](inputs) for level in ("type", "tissue"))
    expected = torch.stack([types[:, 0], tissue[:, 0], types[:, 1]], dim=1)
    torch.testing.assert_close(model(inputs), expected)
    together = build(dataset, **SMALL, share_levels=True)
    assert [part.columns for part in together.parts().values()] == [[0, 1, 2]]


def test_an_unknown_base_counts_a_quarter_of_each():
    dataset, _ = made_populations()
    model = build(dataset, **SMALL, inputs="sequence")
    codes = torch.full((1, 120), 4, dtype=torch.uint8)
    assert torch.isfinite(model(Inputs(codes, features=torch.zeros(1, 3)))).all()


def test_initial_weights_are_those_of_pytorch():
    dataset, _ = made_populations(6, 10_500)
    network = build(dataset).parts()["type"]
    for layer, bound in ((network.first, 24**-0.5), (network.second, (128 * 9) ** -0.5)):
        assert layer.weight.abs().max() <= bound and layer.bias.abs().max() <= bound
        assert layer.weight.abs().mean().item() == pytest.approx(bound / 2, rel=0.05)


def test_settings_are_those_of_the_schema():
    assert settings_of()["dropout"] == 0.00099 and settings_of()["epochs"] == 40
