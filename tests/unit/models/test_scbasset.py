"""The network against an independent statement of the published layers."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cisgrammar.data.draws import Draws
from cisgrammar.data.split import Inputs
from cisgrammar.models.prediction import embed_sequences
from cisgrammar.models.scbasset import Scbasset

PUBLISHED = {
    "length": 1344, "stem_filters": 288, "stem_width": 17, "stem_pool": 3,
    "tower_filters": [288, 323, 363, 407, 456, 512], "tower_width": 5, "tower_pool": 2,
    "last_filters": 256, "bottleneck": 32, "dropout": 0.2, "precision": "float32",
}  # fmt: skip
SMALL = {
    **PUBLISHED, "length": 61, "stem_filters": 6, "stem_width": 7,
    "tower_filters": [5, 7], "last_filters": 4, "bottleneck": 3,
}  # fmt: skip


def build(n_targets=5, seed=1, **changes):
    generator = torch.Generator().manual_seed(seed)
    return Scbasset.build(n_targets, {**SMALL, **changes}, {}, generator)


def some_codes(n=6, length=61, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 5, (n, length), dtype=np.uint8))


def unsettle(model, seed=3):
    """Give normalisations gains of both signs and running averages of their own."""
    generator = torch.Generator().manual_seed(seed)
    for key, value in model.state_dict().items():
        if "running_var" in key:
            value.uniform_(0.5, 2, generator=generator)
        elif value.dim() == 1 and value.is_floating_point():
            value.normal_(generator=generator)
    return model


class Published(nn.Module):
    """The layers as Yuan & Kelley's code lists them, channels last, in float64."""

    def __init__(self, weights, pools, batch_matrix=None):
        super().__init__()
        self.weights, self.pools, self.batch_matrix = weights, pools, batch_matrix

    @staticmethod
    def gelu(x):
        return torch.sigmoid(1.702 * x) * x

    def normalise(self, x, prefix, names):
        gain, offset = (self.weights[f"{prefix}.{name}"] for name in names)
        mean, var = (self.weights[f"{prefix}.running_{name}"] for name in ("mean", "var"))
        if self.training:
            axes = tuple(range(x.dim() - 1))
            mean, var = x.mean(axes), x.var(axes, unbiased=False)
        return (x - mean) / torch.sqrt(var + 0.001) * gain + offset

    def conv_block(self, x, prefix, pool):
        x = self.gelu(x)
        kernel = self.weights[f"{prefix}.weight"]  # (filters, channels, width)
        width = kernel.shape[2]
        padded = F.pad(x, (0, 0, (width - 1) // 2, width // 2))
        length = x.shape[1]
        x = sum(padded[:, k : k + length] @ kernel[:, :, k].T for k in range(width))
        x = self.normalise(x, prefix, ("gain", "offset"))
        n_out = -(-length // pool)
        left = (n_out * pool - length) // 2
        windows = [
            x[:, max(j * pool - left, 0) : (j + 1) * pool - left].amax(1) for j in range(n_out)
        ]
        return torch.stack(windows, 1)

    def forward(self, codes):
        table = torch.tensor(np.vstack([np.eye(4), np.full(4, 0.25)]))
        x = table[codes.long()]  # (batch, length, 4)
        prefixes = ["stem", *(f"tower.{i}" for i in range(len(self.pools) - 1))]
        for prefix, pool in zip(prefixes, self.pools, strict=True):
            x = self.conv_block(x, prefix, pool)
        x = self.gelu(x).reshape(len(x), -1)
        x = self.normalise(x @ self.weights["dense.weight"].T, "norm", ("weight", "bias"))
        x = self.gelu(x)
        logits = x @ self.weights["head.weight"].T + self.weights["head.bias"]
        if self.batch_matrix is not None:
            by_batch = x @ self.weights["batch_head.weight"].T + self.weights["batch_head.bias"]
            logits = logits + by_batch @ self.batch_matrix
        return logits


def published(model, batch_matrix=None):
    weights = {
        key: value.detach().double() if value.is_floating_point() else value.clone()
        for key, value in model.state_dict().items()
    }
    sizes = model.sizes()
    pools = [sizes["stem_pool"], *[sizes["tower_pool"]] * len(sizes["tower_filters"]), 1]
    return Published(weights, pools, batch_matrix)


def assert_equal(found, expected):
    """Outputs are equal to 1e-5 of the largest."""
    scale = expected.abs().max()
    torch.testing.assert_close(found.double() / scale, expected / scale, rtol=0, atol=1e-5)


@pytest.mark.parametrize("n", [1, 2034])
def test_published_sizes_have_the_published_number_of_parameters(n):
    generator = torch.Generator().manual_seed(1)
    model = Scbasset.build(n, PUBLISHED, {}, generator)
    assert sum(p.numel() for p in model.parameters()) == 4_513_960 + 33 * n
    assert Scbasset(n).sizes() == model.sizes()  # the defaults are the published sizes


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("length", [61, 96])
def test_outputs_equal_the_published_layers(length, training):
    model = unsettle(build(length=length)).train(training)
    codes = some_codes(20, length)
    assert_equal(model(Inputs(codes)), published(model).train(training)(codes))


def test_outputs_at_published_sizes_equal_the_published_layers():
    generator = torch.Generator().manual_seed(1)
    model = unsettle(Scbasset.build(4, PUBLISHED, {}, generator)).eval()
    codes = some_codes(2, 1344)
    with torch.no_grad():
        assert_equal(model(Inputs(codes)), published(model).eval()(codes))


def test_batches_add_their_own_output():
    model = unsettle(build(4, batch_of_target=[0, 1, 1, 0])).eval()
    matrix = torch.tensor([[1, 0, 0, 1], [0, 1, 1, 0]]).double()
    codes = some_codes()
    assert_equal(model(Inputs(codes)), published(model, matrix).eval()(codes))
    assert model.sizes()["n_batches"] == 2


def test_gradients_equal_those_of_the_published_layers():
    model, codes = unsettle(build()).train(), some_codes()
    reference = published(model).train()
    for weight in reference.weights.values():
        if weight.is_floating_point():
            weight.requires_grad_()
    model(Inputs(codes)).square().mean().backward()
    reference(codes).square().mean().backward()
    for name, weight in model.named_parameters():
        torch.testing.assert_close(
            weight.grad.double(), reference.weights[name].grad, rtol=1e-3, atol=1e-5
        )


def test_initial_weights_are_truncated_normal():
    weight = build(stem_filters=300).stem.weight.detach()
    std = (2 / (4 * 7)) ** 0.5
    assert weight.std().item() == pytest.approx(std, rel=0.03)
    assert weight.abs().max() <= 2 * std / 0.8796 + 1e-6
    assert (build().head.bias == 0).all()


def test_dropout_is_drawn_from_draws_alone():
    model, codes = build(bottleneck=200).eval(), some_codes()
    plain = model.embed(codes)
    draws = (Draws(torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    one, same, other = (model.embed(codes, each) for each in draws)
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert (one == 0).float().mean().item() == pytest.approx(0.2, abs=0.05)
    assert not (plain == 0).any()


def test_bfloat16_stays_close():
    inputs = Inputs(some_codes(20))
    exact = unsettle(build()).eval()
    rough = build(precision="bfloat16").eval()
    rough.load_state_dict(exact.state_dict())
    found, expected = rough(inputs), exact(inputs)
    assert found.dtype == torch.float32
    assert (found - expected).abs().max() < 0.05 * expected.std()
    assert rough.sizes()["precision"] == "bfloat16"


def test_sequences_are_embedded_batch_by_batch():
    model, codes = build().eval(), some_codes(300)
    torch.testing.assert_close(embed_sequences(model, codes), model.embed(codes))
