import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cisgrammar.data.split import Inputs
from cisgrammar.genome.sequence import encode, one_hot
from cisgrammar.models.scover import Scover

HYPERPARAMETERS = {
    "learning_rate": 0.01,
    "sigma_motifs": 0.1,
    "sigma_net": 0.3,
    "batch_size": 4,
}


def random_model(seed, n_targets=3, filters=6, width=5):
    model = Scover(n_targets, filters, width)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in model.parameters():
            weights.normal_(generator=generator)
    return model


def published(model, length):
    """Build the network of Hepkema et al. (2023) from torch's layers, with a model's weights."""
    filters, _, width = model.motifs.weight.shape
    convolution = nn.Conv2d(1, filters, (width, 4), bias=False)
    head = nn.Linear(filters, model.head.out_features)
    with torch.no_grad():
        convolution.weight.copy_(model.motifs.weight.transpose(1, 2)[:, None])
        head.load_state_dict(model.head.state_dict())
    pool = nn.MaxPool2d((length - width + 1, 1))
    return nn.Sequential(convolution, nn.ELU(), pool, nn.Flatten(), head)


def random_codes(seed, n, length):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 5, (n, length), dtype=np.uint8))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.integers(1, 13), st.integers(1, 40), st.integers(0, 30))
def test_predicts_as_the_published_layers(seed, width, n, more):
    length = width + more
    model = random_model(seed, width=width)
    codes = random_codes(seed, n, length)
    spelled = torch.from_numpy(one_hot(codes.numpy())).transpose(1, 2)[:, None]
    expected = published(model, length)(spelled)  # (n, 1, length, 4) in
    torch.testing.assert_close(model(Inputs(codes)), expected, rtol=1e-4, atol=1e-4)


def test_learns_as_the_published_layers():
    model, codes = random_model(1), random_codes(1, 12, 30)
    layers = published(model, 30)
    spelled = torch.from_numpy(one_hot(codes.numpy())).transpose(1, 2)[:, None]
    model(Inputs(codes)).square().mean().backward()
    layers(spelled).square().mean().backward()
    expected = layers[0].weight.grad[:, 0].transpose(1, 2)
    torch.testing.assert_close(model.motifs.weight.grad, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.head.weight.grad, layers[4].weight.grad, rtol=1e-4, atol=1e-5)


def test_by_hand():
    model = Scover(n_targets=2, filters=2, width=2)
    with torch.no_grad():
        model.motifs.weight.zero_()
        model.motifs.weight[0, 0, 0] = model.motifs.weight[0, 1, 1] = 1  # AC scores 2
        model.motifs.weight[1] = -0.5  # every window scores -1
        model.head.weight.copy_(torch.tensor([[10.0, 0], [1, 1]]))
        model.head.bias.copy_(torch.tensor([0.5, 0]))
    codes = torch.from_numpy(np.stack([encode("GGACGG"), encode("GGATGG")]))
    elu = np.exp(-1) - 1
    expected = torch.tensor([[20.5, 2 + elu], [10.5, 1 + elu]], dtype=torch.float32)
    torch.testing.assert_close(model(Inputs(codes)), expected)
    ((maxima, positions),) = model.scan(codes)
    assert maxima.tolist() == [[2, -1], [1, -1]]
    assert positions.tolist() == [[2, 0], [2, 0]]


def test_initial_weights_are_the_published_ones():
    settings = {"filters": 200, "width": 12}
    model = Scover.build(50, settings, HYPERPARAMETERS, torch.Generator().manual_seed(1))
    # standard deviation is sigma squared
    assert model.motifs.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert model.head.weight.std().item() == pytest.approx(0.09, rel=0.05)
    assert abs(model.motifs.weight.mean().item()) < 0.001
    assert (model.head.bias == torch.tensor(1e-5)).all()
    assert model.sizes() == {"n_targets": 50, "filters": 200, "width": 12}
    assert sum(p.numel() for p in model.parameters()) == 200 * 4 * 12 + 50 * 200 + 50


@pytest.mark.parametrize("n", [1, 1024, 1025])
def test_scan_goes_through_all_sequences_in_order(n):
    model, codes = random_model(1), random_codes(1, n, 12)
    maxima = torch.cat([batch for batch, _ in model.scan(codes)])
    assert torch.equal(maxima, model.motifs(codes))
