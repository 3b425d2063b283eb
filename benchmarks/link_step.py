"""Time and memory of the second stage of links, beside a plain restatement of its layers.

    python benchmarks/link_step.py [--cells 2000] [--genes 8] [--peaks 40] [--sizes published]

Both take the same weights and genes, one after the other in one run. The restatement pads genes to
the widest and masks, multiplies attention with accessibility for each head and cell, and runs all
layers for each cell, as the published code does.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

from cisgrammar.data.gene_batches import GeneBatch
from cisgrammar.interpret.link_activities import gene_activities
from cisgrammar.models.cre_attention import CreAttention, build_attention

SIZES = {
    "published": {"norm": "code", "distance": "key"},
    "own_gene": {"norm": "none", "distance": "decay", "outputs": 1},
    "small": {
        "heads": 16, "head_size": 4, "hidden": 16, "joined": 16, "wide": 64, "outputs": 1,
        "norm": "none",
    },
}  # fmt: skip


def made_batch(n_genes: int, n_peaks: int, n_cells: int) -> GeneBatch:
    """Draw genes of different widths, 40% to all of the widest."""
    rng = torch.Generator().manual_seed(1)
    counts = np.linspace(0.4 * n_peaks, n_peaks, n_genes).astype(int).tolist()
    n = sum(counts)
    return GeneBatch(
        torch.randn(n_genes, 32, generator=rng), torch.randn(n, 32, generator=rng),
        torch.randn(n, generator=rng), counts,
        [torch.rand(n_cells, 1 + count, generator=rng) for count in counts],
    )  # fmt: skip


def plain(model: CreAttention, batch: GeneBatch) -> torch.Tensor:
    """Run the layers as they are published, padded and masked."""
    widest, n_genes = max(batch.counts), len(batch.counts)
    mask = torch.arange(widest) < torch.tensor(list(batch.counts))[:, None]  # (genes, widest)
    padded = torch.zeros(n_genes, widest, 33)
    padded[mask] = torch.cat([batch.candidates, batch.distances[:, None]], dim=1)
    access = torch.zeros(n_genes, 1 + widest, len(batch.accessibility[0]))
    for row, its in zip(access, batch.accessibility, strict=True):
        row[: its.shape[1]] = its.T
    shape = (model.heads, model.head_size)
    query = model.query(batch.promoters).unflatten(-1, shape)
    keys = model.key(padded).unflatten(-1, shape)
    logits = torch.einsum("ghd,gphd->ghp", query, keys) * mask[:, None]
    if model.norm == "code":
        n = mask.sum(dim=1)[:, None, None]
        centred = (logits - logits.sum(-1, keepdim=True) / n) * mask[:, None]
        variance = centred.square().sum(-1, keepdim=True) / n
        logits = centred * (variance + 1e-5).rsqrt()
    if model.distance == "decay":
        far = torch.zeros(n_genes, widest)
        far[mask] = batch.distances.abs()
        logits = logits * torch.exp(-far[:, None] * model.log_rate.exp()[:, None])
    product = logits @ access[:, 1:] + model.promoter(query) * access[:, :1]
    x = F.relu(model.hidden(product.transpose(1, 2)))
    return model.output(F.relu(model.wide(model.joined(x))))


def seconds_of(run, model: CreAttention, batch: GeneBatch, repeats: int) -> list[float]:
    """Time forward and backward passes."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        run(model, batch).square().mean().backward()
        found.append(time.perf_counter() - start)
        model.zero_grad()
    return found


def main() -> None:
    """Print one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--genes", type=int, default=8)
    parser.add_argument("--peaks", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sizes", choices=SIZES, default="published")
    parser.add_argument("--activities", action="store_true", help="memory of activities alone")
    settings = parser.parse_args()
    torch.set_num_threads(1)
    model = build_attention(SIZES[settings.sizes], seed=1)
    batch = made_batch(settings.genes, settings.peaks, settings.cells)
    result = vars(settings) | {"torch": torch.__version__}
    if settings.activities:
        batch = made_batch(1, settings.peaks, settings.cells)
        readout = torch.ones(model.output.out_features)
        start = time.perf_counter()
        gene_activities(model, batch, readout)
        result["seconds_a_gene"] = time.perf_counter() - start
    else:
        difference = (model(batch) - plain(model, batch)).abs().max().item()
        fused, layers = [], []
        for _ in range(settings.repeats):  # in turn, as the machine may be busy
            layers += seconds_of(plain, model, batch, 1)
            fused += seconds_of(CreAttention.__call__, model, batch, 1)
        result |= {"difference": difference, "plain_s": min(layers), "fused_s": min(fused)}
        result["times_faster"] = result["plain_s"] / result["fused_s"]
    result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
