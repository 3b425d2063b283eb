"""Models describe their convolutions, and a user's network is read, as they compute."""

import json

import h5py
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cisgrammar.common.errors import InputError
from cisgrammar.genome.sequence import one_hot
from cisgrammar.interpret.neurons.network import Network, stacks_of
from cisgrammar.models.abilities import PROTOCOLS
from cisgrammar.models.base import Ensemble
from cisgrammar.models.conv_layers import ConvLayer, field
from cisgrammar.models.kernels.conv_pool import conv_pool_codes
from cisgrammar.models.network_files import read_network
from cisgrammar.models.registry import MODELS, models_with
from cisgrammar.models.scbasset import Scbasset
from cisgrammar.models.scover import Scover
from cisgrammar.models.scxpresso_network import PopulationNetwork

CODES = np.random.default_rng(0).integers(0, 4, (6, 200), dtype=np.uint8)


def drawn(model):
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.4, generator=generator)
        for name, buffer in model.named_buffers():
            if "running_var" in name:
                buffer.uniform_(0.5, 2, generator=generator)
            if "running_mean" in name:
                buffer.normal_(0, 0.3, generator=generator)
    return model.eval()


def test_models_with_convolutions_describe_them():
    for name in models_with("convolutions"):
        assert issubclass(MODELS[name].load(), PROTOCOLS["convolutions"])


def test_scbasset_is_described_as_it_computes():
    """Far from its ends, where nothing is padded, and where its pools begin."""
    model = drawn(Scbasset(3, 200, 5, 7, 3, (6,), 5, 2, 4))
    network = Network(model.convolutions()["scbasset"])
    with torch.no_grad():
        bases = model.bases[torch.from_numpy(CODES).long()].transpose(1, 2)
        stem = model.stem(bases)  # silu(1.702 x) of the pooled stem
        block = model.tower[0]
        whole = F.conv1d(stem, block.weight / 1.702, padding=2)
        scale = block.gain / (block.running_var + 1e-3).sqrt()
        whole = (whole - block.running_mean[:, None]) * scale[:, None] + block.offset[:, None]
    length = network.length(2)
    assert length == field(model.convolutions()["scbasset"], 2).length == 7 + 2 + 4 * 3
    start = 3 * 20 - 3  # the window of pooled positions 20 to 24, from its first base
    ours = network.read(CODES[:, start : start + length], 2)
    assert np.allclose(ours, whole[..., 22], atol=1e-4)


def test_scover_is_described_as_it_computes():
    model = drawn(Scover(3, 4, 9))
    ((_, along),) = Network(model.convolutions()["scover"]).scan(CODES, 1)
    maxima = next(iter(model.scan(torch.from_numpy(CODES))))[0]
    assert np.allclose(along.max(axis=2), maxima, atol=1e-5)


def test_scxpresso_is_described_as_it_computes():
    sizes = {"hidden": 4, "dropout": 0, "head": "auto", "head_hidden": 3, "head_dropout": 0}
    network = drawn(PopulationNetwork([0], 200, 0, "sequence", [], 5, 6, 4, 3, 9, 2, **sizes))
    layers = network.described()
    first, second = network.first, network.second
    codes = torch.from_numpy(CODES)
    with torch.no_grad():
        pooled = conv_pool_codes(codes, first.weight, first.bias, 4, 0, 0).transpose(1, 2)
        whole = F.conv1d(pooled, second.weight, second.bias)
    ((_, along),) = Network(layers).scan(CODES, 2)
    assert np.allclose(along, whole[..., : along.shape[2]], atol=1e-4)


def test_of_several_members_the_one_with_most_weight_is_described_or_the_first():
    members = [drawn(Scover(3, 4, 9)), Scover(3, 4, 9)]
    for weights, described in ((None, 0), (torch.tensor([[0.4], [0.6]]), 1)):
        (layer,) = stacks_of(Ensemble(members, weights))["scover"]
        assert np.array_equal(layer.weight, members[described].motifs.weight.detach())


class Own(nn.Module):
    """A network as users have it: normalisation before or after ReLU, dilation and stride."""

    def __init__(self, after=False):
        super().__init__()
        self.after = after
        self.conv1, self.norm1 = nn.Conv1d(4, 6, 5), nn.BatchNorm1d(6)
        self.conv2 = nn.Conv1d(6, 3, 3, dilation=2, bias=False)

    def forward(self, x):
        x = self.conv1(x)
        x = self.norm1(F.relu(x)) if self.after else F.relu(self.norm1(x))
        return self.conv2(F.max_pool1d(x, 3, 2))


def described(after=False, **more):
    first = {"convolution": "conv1", "batch_norm": "norm1", "activation": "relu"}
    first |= {"pool": 3, "pool_stride": 2, "norm_after_activation": after} | more
    return {"layers": [first, {"convolution": "conv2", "dilation": 2}]}


def write(path, content):
    path.write_text(json.dumps(content))  # JSON is YAML
    return path


@pytest.mark.parametrize("after", [False, True])
def test_a_state_dict_is_read(tmp_path, after):
    model = drawn(Own(after))
    torch.save({"state_dict": model.state_dict()}, tmp_path / "own.pt")
    layers = read_network(tmp_path / "own.pt", write(tmp_path / "own.yaml", described(after)))
    with torch.no_grad():
        whole = model(torch.from_numpy(one_hot(CODES)))
    ((_, along),) = Network(layers).scan(CODES, 2)
    assert np.allclose(along, whole, atol=1e-4)


def test_bases_in_another_order(tmp_path):
    model = drawn(Own())
    torch.save(model.state_dict(), tmp_path / "own.pt")
    text = described() | {"bases": "TGCA"}
    layers = read_network(tmp_path / "own.pt", write(tmp_path / "own.yaml", text))
    with torch.no_grad():
        whole = model(torch.from_numpy(one_hot(3 - CODES)))
    ((_, along),) = Network(layers).scan(CODES, 2)
    assert np.allclose(along, whole, atol=1e-4)


@pytest.mark.parametrize("kind", ["keras 2", "keras 3"])
def test_hdf5_of_keras_is_read(tmp_path, kind):
    model = drawn(Own())
    state = {key: value.numpy() for key, value in model.state_dict().items()}
    kernels = {f"conv{i}": state[f"conv{i}.weight"].transpose(2, 1, 0) for i in (1, 2)}
    norm = [state[f"norm1.{key}"] for key in ("weight", "bias", "running_mean", "running_var")]
    names = ("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0")
    with h5py.File(tmp_path / "own.h5", "w") as file:
        if kind == "keras 2":
            file["model_weights/conv1/conv1/kernel:0"] = kernels["conv1"]
            file["model_weights/conv1/conv1/bias:0"] = state["conv1.bias"]
            file["model_weights/conv2/conv2/kernel:0"] = kernels["conv2"]
            file["optimizer_weights/Adam/conv1/kernel:0"] = kernels["conv1"] * 0
            for name, value in zip(names, norm, strict=True):
                file[f"model_weights/norm1/norm1/{name}"] = value
        else:
            file["layers/conv1/vars/0"], file["layers/conv1/vars/1"] = (
                kernels["conv1"],
                state["conv1.bias"],
            )
            file["layers/conv2/vars/0"] = kernels["conv2"]
            for number, value in enumerate(norm):
                file[f"layers/norm1/vars/{number}"] = value
    text = described(epsilon=1e-5)
    layers = read_network(tmp_path / "own.h5", write(tmp_path / "own.yaml", text))
    with torch.no_grad():
        whole = model(torch.from_numpy(one_hot(CODES)))
    ((_, along),) = Network(layers).scan(CODES, 2)
    assert np.allclose(along, whole, atol=1e-4)


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda d: d["layers"][0].update(convolution="conv7"), "nothing called `conv7`"),
        (lambda d: d["layers"][0].update(batch_norm="conv2"), "a normalisation with running"),
        (lambda d: d["layers"].reverse(), "the sequence has 4 bases"),
        (lambda d: d["layers"][0].update(poool=2), "key `poool` is not known"),
        (lambda d: d["layers"][0].update(activation="swish"), "should be one of relu"),
        (lambda d: d["layers"][0].update(pool=0), "a whole number from 1 on"),
        (lambda d: d.pop("layers"), "no list `layers`"),
        (lambda d: d.update(bases="ACGU"), "`bases` is ACGU"),
        (lambda d: d["layers"].clear(), "`layers` is empty"),
    ],
)
def test_descriptions_that_do_not_fit(tmp_path, change, words):
    torch.save(Own().state_dict(), tmp_path / "own.pt")
    content = described()
    change(content)
    with pytest.raises(InputError, match=words):
        read_network(tmp_path / "own.pt", write(tmp_path / "own.yaml", content))


def test_what_is_no_plain_convolution(tmp_path):
    state = {"conv1.weight": torch.zeros(3, 4, 5, 5), "conv2.weight": torch.zeros(3, 1, 5)}
    torch.save(state, tmp_path / "own.pt")
    layers = [{"convolution": "conv1"}, {"convolution": "conv2"}]
    with pytest.raises(InputError, match="not a plain convolution"):
        read_network(tmp_path / "own.pt", write(tmp_path / "own.yaml", {"layers": layers}))
    with pytest.raises(InputError, match="reads 1 channels"):
        read_network(tmp_path / "own.pt", write(tmp_path / "a.yaml", {"layers": layers[1:]}))


def test_a_pickled_module_is_not_run(tmp_path):
    torch.save(Own(), tmp_path / "own.pt")
    with pytest.raises(InputError, match="it would run code"):
        read_network(tmp_path / "own.pt", write(tmp_path / "own.yaml", described()))


def test_weights_that_are_no_numbers(tmp_path):
    torch.save({"conv1.weight": torch.full((3, 4, 5), float("nan"))}, tmp_path / "own.pt")
    content = {"layers": [{"convolution": "conv1"}]}
    with pytest.raises(InputError, match="weights that are not numbers"):
        read_network(tmp_path / "own.pt", write(tmp_path / "own.yaml", content))


def test_fields_of_published_networks():
    def stack(*shapes):
        return [ConvLayer(np.zeros((1, 1, w)), np.zeros(1), pool=p) for w, p in shapes]

    deepsea = stack((8, 4), (8, 4), (8, 1))
    assert [field(deepsea, d).length for d in (1, 2, 3)] == [8, 39, 163]
    assert [field(deepsea, d).facets for d in (1, 2, 3)] == [1, 4, 16]
    published = stack((17, 3), *[(5, 2)] * 6, (1, 1))  # scBasset
    lengths = [17, 31, 58, 112, 220, 436, 868, 964]
    assert [field(published, d).length for d in range(1, 9)] == lengths
    deep = stack((7, 1), (3, 2), *[(3, 1), (3, 2)] * 3, (3, 1), (3, 1))
    assert field(deep, 10).facets == 16
