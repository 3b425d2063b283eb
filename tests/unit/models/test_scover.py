import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from cisgrammar.data.split import Inputs
from cisgrammar.genome.sequence import encode, one_hot, reverse_complement
from cisgrammar.models.scover import Scover
from cisgrammar.motifs.filters import filter_motifs

HYPERPARAMETERS = {
    "learning_rate": 0.01,
    "sigma_motifs": 0.1,
    "sigma_net": 0.3,
    "batch_size": 4,
}


def random_model(seed, n_targets=3, filters=6, width=5, **reading):
    model = Scover(n_targets, filters, width, **reading)
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
    ((maxima, positions, reverse),) = model.scan(codes)
    assert not reverse.any()
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
    reading = {"strands": "forward", "bins": 1}  # the paper's
    assert model.sizes() == {
        "n_targets": 50,
        "filters": 200,
        "width": 12,
        **reading,
        "n_members": 1,
    }
    assert sum(p.numel() for p in model.parameters()) == 200 * 4 * 12 + 50 * 200 + 50


@pytest.mark.parametrize("n", [1, 1024, 1025])
def test_scan_goes_through_all_sequences_in_order(n):
    model, codes = random_model(1), random_codes(1, n, 12)
    maxima = torch.cat([batch for batch, *_ in model.scan(codes)])
    assert torch.equal(maxima, model.motifs(codes)[..., 0])


def spelled_out(model, codes):
    """Predict with plain convolutions of one-hot bases, strand by strand and bin by bin."""
    bases = torch.from_numpy(one_hot(codes.numpy()))
    weight, bins = model.motifs.weight, model.bins
    strands = [weight] if model.motifs.strands == "forward" else [weight, weight.flip(1, 2)]
    scores = torch.stack([F.conv1d(bases, each) for each in strands]).amax(dim=0)
    best = F.adaptive_max_pool1d(scores, bins)
    weights = model.head_weights()  # (targets, filters, bins)
    return torch.einsum("bfk,tfk->bt", F.elu(best), weights) + model.head.bias


readings = given(
    strands=st.sampled_from(["forward", "both"]),
    bins=st.integers(1, 8),
    more=st.integers(7, 30),
    seed=st.integers(0, 999),
)


@settings(max_examples=40, deadline=None)
@readings
def test_predicts_and_learns_as_convolutions_of_both_strands_in_bins(strands, bins, more, seed):
    model = random_model(seed, strands=strands, bins=bins)
    codes = random_codes(seed, 9, 5 + more)
    upstream = torch.randn(9, 3, generator=torch.Generator().manual_seed(seed))
    gradients = []
    for predicted in (model(Inputs(codes)), spelled_out(model, codes)):
        model.zero_grad()
        predicted.backward(upstream)
        gradients.append([predicted.detach()] + [p.grad.clone() for p in model.parameters()])
    for ours, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-4)


@settings(max_examples=25, deadline=None)
@readings
def test_side_by_side_equals_one_at_a_time(strands, bins, more, seed):
    models = [random_model(seed + i, strands=strands, bins=bins) for i in range(3)]
    inputs = Inputs(random_codes(seed, 9, 5 + more))
    together = Scover.forward_side_by_side(models, inputs)
    alone = torch.stack([model(inputs) for model in models])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(bins=st.integers(1, 8), more=st.integers(7, 30), seed=st.integers(0, 999))
def test_the_other_strand_reverses_bins_and_changes_nothing_else(bins, more, seed):
    model = random_model(seed, strands="both", bins=bins)
    codes = random_codes(seed, 9, 5 + more)
    turned = torch.from_numpy(reverse_complement(codes.numpy()))
    here, there = model.activations(codes), model.activations(turned)
    torch.testing.assert_close(there, here.flip(2))  # ELU is rounded by where numbers lie
    if bins == 1:
        torch.testing.assert_close(model(Inputs(turned)), model(Inputs(codes)))


def test_a_motif_of_the_reverse_strand_is_read_in_its_own_orientation():
    motif = "GATTACA"
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (40, 30), dtype=np.uint8)
    codes[:20, 10:17] = encode(motif)
    codes[20:, 3:10] = reverse_complement(encode(motif))
    model = Scover(1, filters=1, width=7, strands="both", bins=2)
    with torch.no_grad():
        model.motifs.weight.copy_(torch.from_numpy(one_hot(encode(motif)))[None] - 0.5)
    (batch,) = model.scan(torch.from_numpy(codes))
    found = [part.numpy() for part in batch]
    (read,), table = filter_motifs(codes, *found, width=7, fold=0)
    assert table["consensus"].tolist() == [motif]
    assert (read.matrix.max(axis=0) == 1).all()
    assert found[2].sum() == 20
