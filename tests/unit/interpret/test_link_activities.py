import pytest
import torch
from torch.nn import functional as F

from cisgrammar.data.gene_batches import GeneBatch
from cisgrammar.interpret.link_activities import gene_activities
from cisgrammar.models.cre_attention import build_attention

SIZES = {
    "described": 5, "heads": 7, "head_size": 3, "hidden": 16, "joined": 4, "wide": 30, "outputs": 3,
}  # fmt: skip


class RescaledRelu(torch.autograd.Function):
    """A ReLU whose gradient is DeepLIFT's multiplier; the last row is the baseline."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return F.relu(x)

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        difference = x - x[-1:]
        rise = F.relu(x) - F.relu(x[-1:])
        same = difference == 0
        slope = torch.where(same, (x > 0).to(x), rise / torch.where(same, 1, difference))
        return gradient * slope


def made_gene(count, dtype, n_cells=40):
    rng = torch.Generator().manual_seed(4)

    def draw(*shape):
        return torch.randn(*shape, generator=rng).to(dtype)

    return GeneBatch(
        draw(1, 5), draw(count, 5), draw(count), [count], [draw(n_cells, 1 + count).abs()]
    )


def by_autograd(model, batch, readout):
    """DeepLIFT through the layers as they stand, whose attention is fixed by the sequences."""
    (weight,), (intercept,) = model.weights_of_peaks(batch)
    access = batch.accessibility[0]
    prediction = model(batch)[0] @ readout
    baseline = access[prediction.argmin()]
    rows = torch.cat([access, baseline[None]]).requires_grad_()
    x = RescaledRelu.apply(rows @ weight.detach() + intercept.detach())
    x = RescaledRelu.apply(model.wide(model.joined(x)))
    (model.output(x) @ readout).sum().backward()
    return ((rows - baseline) * rows.grad)[:-1].detach(), prediction.detach()


@pytest.mark.parametrize("norm", ["code", "paper", "none"])
@pytest.mark.parametrize("distance", ["key", "decay"])
def test_activities_are_those_of_deeplift_and_sum_to_prediction_minus_baseline(norm, distance):
    model = build_attention({**SIZES, "norm": norm, "distance": distance}, seed=2).double()
    batch, readout = made_gene(6, torch.float64), torch.tensor([0.5, -2.0, 1.0]).double()
    found = gene_activities(model, batch, readout)
    expected, prediction = by_autograd(model, batch, readout)
    assert torch.allclose(found.added, expected, atol=1e-10)
    assert torch.allclose(found.prediction, prediction, atol=1e-10)
    difference = prediction - prediction.min()
    assert torch.allclose(found.added.sum(dim=1), difference, atol=1e-10)
    assert found.added.abs().sum() > 0.1


def test_single_precision_sums_to_five_digits_at_the_published_sizes():
    model = build_attention({"described": 5}, seed=2)
    batch, readout = made_gene(20, torch.float32, 100), torch.randn(50) / 7
    found = gene_activities(model, batch, readout)
    difference = found.prediction - found.prediction.min()
    assert (found.added.sum(dim=1) - difference).abs().max() < 1e-5 * difference.max().clamp(min=1)
    assert (found.added[found.baseline] == 0).all()
