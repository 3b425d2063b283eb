"""The cRE attention model: what a gene's promoter and the peaks near it make of its expression."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import whole_file
from cisgrammar.data.gene_batches import GeneBatch

EPS = 1e-5  # of both norms, as PyTorch's
NEAREST = 50  # the shortest decay length that heads start from is reach / NEAREST


class CreAttention(nn.Module):
    """The second stage of Murakami et al. (2025); the first is a trained scBasset.

    Parameters
    ----------
    described
        Numbers that describe a sequence: scBasset's bottleneck.
    heads, head_size
        Of the attention.
    hidden, joined, wide
        Numbers in the layers of each cell's network.
    outputs
        Components of cells that are predicted; 1 for a gene's own expression.
    norm
        ``code``: attention is normalised over the candidates of a head. ``paper``: its product
        with accessibility is, over cells. ``none``: neither.
    distance
        ``key``: as published, a number among those that make a key. ``decay``: attention also
        falls exponentially with distance, over a length that each head learns. ``none``: it is
        left out.
    dropout, wide_dropout
        Share of the hidden and of the wide layer that is left out in a training step.

    Notes
    -----
    With the published sizes 1,760,531 weights. Logits are neither scaled nor put through a
    softmax. Genes are ragged: the published code pads with zeros, and its norm counts these, so
    that a gene's result depends on the widest gene beside it.

    An attention that a distance enters only through keys is linear in the distance and additive
    in sequence and distance, so that no head can let the same motif do less from farther away.
    ``decay`` lets it.

    The first layer of the cells' network is applied to the attention, before accessibility comes
    in: what is computed for each cell is ``hidden`` numbers, not ``heads``.
    """

    def __init__(
        self,
        described: int = 32,
        heads: int = 512,
        head_size: int = 32,
        hidden: int = 128,
        joined: int = 64,
        wide: int = 5120,
        outputs: int = 50,
        norm: str = "code",
        distance: str = "key",
        dropout: float = 0.25,
        wide_dropout: float = 0.25,
    ) -> None:
        super().__init__()
        self.sizes: dict[str, Any] = {
            "described": described,
            "heads": heads,
            "head_size": head_size,
            "hidden": hidden,
            "joined": joined,
            "wide": wide,
            "outputs": outputs,
            "norm": norm,
            "distance": distance,
            "dropout": dropout,
            "wide_dropout": wide_dropout,
        }
        self.norm, self.distance = norm, distance
        self.heads, self.head_size = heads, head_size
        self.dropout, self.wide_dropout = dropout, wide_dropout
        self.query = nn.Linear(described, heads * head_size)
        self.key = nn.Linear(described + 1, heads * head_size)
        self.promoter = nn.Linear(head_size, 1)
        self.hidden = nn.Linear(heads, hidden)
        self.joined = nn.Linear(hidden, joined)
        self.wide = nn.Linear(joined, wide)
        self.output = nn.Linear(wide, outputs)
        if distance == "decay":
            rates = torch.logspace(0, torch.log10(torch.tensor(float(NEAREST))), heads)
            self.log_rate = nn.Parameter(rates.log())

    def attention(self, batch: GeneBatch) -> tuple[Tensor, Tensor]:
        """Work out what each head makes of promoters and candidates, whatever the cell.

        Returns
        -------
        ``(genes, heads)``, the promoters' weights, and ``(pairs, heads)``, the candidates',
        before the norm of ``paper``.
        """
        query = self.query(batch.promoters).unflatten(-1, (self.heads, self.head_size))
        distance = batch.distances * (self.distance != "none")
        keys = self.key(torch.cat([batch.candidates, distance[:, None]], dim=1))
        keys = keys.unflatten(-1, (self.heads, self.head_size))
        gene = batch.gene_of_pair
        logits = (query[gene] * keys).sum(-1)
        if self.norm == "code":
            logits = normalise_over_genes(logits, gene, len(batch.counts))
        if self.distance == "decay":
            logits = logits * torch.exp(-batch.distances.abs()[:, None] * self.log_rate.exp())
        return self.promoter(query).squeeze(-1), logits

    def weights_of_peaks(self, batch: GeneBatch) -> tuple[list[Tensor], list[Tensor]]:
        """Carry the attention through the first layer of the cells' network.

        Returns
        -------
        For each gene ``(1 + its candidates, hidden)``, the promoter first, and the layer's
        intercept, ``(hidden,)``: the layer is ``accessibility @ weights + intercept``.
        """
        of_promoters, of_candidates = self.attention(batch)
        both: list[Tensor] = []
        intercepts: list[Tensor] = []
        parts = of_candidates.split(list(batch.counts))
        for first, rest, access in zip(of_promoters, parts, batch.accessibility, strict=True):
            intercept: Tensor = self.hidden.bias
            if self.norm == "paper":
                rest, shift = normalised_product(rest, access[:, 1:])
                intercept = intercept - self.hidden.weight @ shift
            both += [first[None], rest]
            intercepts.append(intercept)
        weights = torch.cat(both) @ self.hidden.weight.T
        return list(weights.split([1 + n for n in batch.counts])), intercepts

    def forward(self, batch: GeneBatch, generator: torch.Generator | None = None) -> Tensor:
        """Predict: ``(genes, cells, outputs)``.

        Parameters
        ----------
        batch
            Genes.
        generator
            What dropout is drawn from; without one nothing is dropped.
        """
        weights, intercepts = self.weights_of_peaks(batch)
        access = batch.accessibility
        layers = [
            torch.addmm(intercept, its, weight)
            for its, weight, intercept in zip(access, weights, intercepts, strict=True)
        ]
        x = _dropped(F.relu(torch.stack(layers)), self.dropout, generator)
        x = _dropped(F.relu(self.wide(self.joined(x))), self.wide_dropout, generator)
        return self.output(x)


def normalise_over_genes(logits: Tensor, gene: Tensor, n_genes: int) -> Tensor:
    """Standardise each head over the candidates of each gene, and no padding.

    Parameters
    ----------
    logits
        ``(pairs, heads)``.
    gene
        Of each pair, int64.
    n_genes
        How many.
    """
    ones = torch.bincount(gene, minlength=n_genes).clamp(min=1)[:, None].to(logits.dtype)
    sums = logits.new_zeros(n_genes, logits.shape[1])
    mean = sums.index_add(0, gene, logits) / ones
    centred = logits - mean[gene]
    variance = sums.index_add(0, gene, centred.square()) / ones
    return centred * (variance + EPS).rsqrt()[gene]


def normalised_product(attention: Tensor, accessibility: Tensor) -> tuple[Tensor, Tensor]:
    """Standardise the product of attention and accessibility over cells, without forming it.

    Parameters
    ----------
    attention
        ``(candidates, heads)``.
    accessibility
        ``(cells, candidates)``.

    Returns
    -------
    Attention whose product has variance 1 in each head, and the product's mean, ``(heads,)``.
    """
    mean = accessibility.mean(dim=0)
    centred = accessibility - mean
    covariance = centred.T @ centred / len(centred)
    variance = ((covariance @ attention) * attention).sum(dim=0).clamp(min=0)
    scaled = attention * (variance + EPS).rsqrt()
    return scaled, mean @ scaled


def _dropped(x: Tensor, share: float, generator: torch.Generator | None) -> Tensor:
    if generator is None or share == 0:
        return x
    kept = torch.rand(x.shape, generator=generator, device=generator.device) >= share
    return x * kept.to(x.device) / (1 - share)


def build_attention(sizes: Mapping[str, Any], seed: int) -> CreAttention:
    """Make a model with PyTorch's usual initial weights, from a seed of its own."""
    model, generator = CreAttention(**sizes), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in model.children():
            if isinstance(layer, nn.Linear):
                bound = layer.in_features**-0.5
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.uniform_(-bound, bound, generator=generator)
    return model


def save_attention(model: CreAttention, path: str | Path) -> None:
    """Write a checkpoint: sizes and weights, nothing else."""
    state = {key: value.detach().cpu() for key, value in model.state_dict().items()}
    content = {"model": "cre_attention", "sizes": model.sizes, "state": state}
    with whole_file(path) as temporary, temporary.open("wb") as handle:
        torch.save(content, handle)


def load_attention(path: str | Path, device: torch.device | str = "cpu") -> CreAttention:
    """Read a checkpoint.

    Raises
    ------
    InputError
        If the file is none of :func:`save_attention`.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        model = CreAttention(**checkpoint["sizes"])
        model.load_state_dict(checkpoint["state"])
    except Exception as error:
        raise InputError(
            f"{path}: not a checkpoint of the cRE attention model: {error!r}. Delete it and run "
            "again."
        ) from error
    return model.to(device).eval()
