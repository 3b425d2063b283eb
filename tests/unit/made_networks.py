"""Networks with known answers: some written by hand, one trained on pairs of motifs."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from cisgrammar.genome.sequence import encode, one_hot
from cisgrammar.models.conv_layers import ConvLayer

FIRST, SECOND = "GATTACA", "CCGTGAC"
CTCF_LIKE = "TGGCCACCAGGGGGCGCTA"
LENGTH, LEFT, RIGHT = 82, 16, 44  # of a window; places of the first motif; start of the second's


def detector(*motifs: str, least: float = 0.6) -> ConvLayer:
    """Filters that answer where a motif of equal width matches in more than a share of bases."""
    weight = np.stack([2 * one_hot(encode(motif)) - 0.5 for motif in motifs])
    bias = -np.array([(2 * least - 0.5) * len(motif) for motif in motifs])
    return ConvLayer(weight.astype(np.float32), bias.astype(np.float32))


def on_top(layer: ConvLayer, taps: dict[tuple[int, int], float], width: int, bias: float, **below):
    """Put one neuron on detectors: weights by (channel, tap); ``below`` changes the detectors."""
    weight = np.zeros((1, layer.filters, width), np.float32)
    for (channel, tap), value in taps.items():
        weight[0, channel, tap] = value
    lower = ConvLayer(**(vars(layer) | below))
    return [lower, ConvLayer(weight, np.array([bias], np.float32))]


def pairs(rng: np.random.Generator, n: int, motif: str = CTCF_LIKE, kept: float = 0.9):
    """Plant two motifs with a soft gap: codes, and the starts of both, ``(n, 2)``."""
    codes = rng.integers(0, 4, (n, LENGTH), dtype=np.uint8)
    starts = np.stack([rng.integers(0, LEFT, n), RIGHT + rng.integers(0, LEFT, n)], axis=1)
    for column in range(2):
        plant(rng, codes, starts[:, column], motif, kept)
    return codes, starts


def plant(rng, codes, starts, motif: str, kept: float = 0.9) -> None:
    """Put a motif into each sequence, some of its bases drawn at random."""
    word = np.broadcast_to(encode(motif), (len(codes), len(motif)))
    noisy = np.where(rng.random(word.shape) < kept, word, rng.integers(0, 4, word.shape))
    codes[np.arange(len(codes))[:, None], starts[:, None] + np.arange(len(motif))] = noisy


def negatives(rng: np.random.Generator, n: int, motif: str = CTCF_LIKE):
    """Sequences with one of the two motifs, and with none."""
    codes = rng.integers(0, 4, (n, LENGTH), dtype=np.uint8)
    third = n // 3
    plant(rng, codes[:third], rng.integers(0, LEFT, third), motif)
    plant(rng, codes[third : 2 * third], RIGHT + rng.integers(0, LEFT, third), motif)
    return codes


class PairNetwork(nn.Module):
    """Five convolutions whose last neuron says whether both motifs are there."""

    def __init__(self, filters=(5, 5, 6, 6, 1), widths=(7, 3, 3, 3, 3)) -> None:
        super().__init__()
        channels = (4, *filters[:-1])
        self.convolutions = nn.ModuleList(
            nn.Conv1d(*sizes) for sizes in zip(channels, filters, widths, strict=True)
        )

    def forward(self, x):
        for layer in self.convolutions[:-1]:
            x = F.max_pool1d(F.relu(layer(x)), 2)
        return self.convolutions[-1](x)[:, 0, 0]

    def layers(self) -> list[ConvLayer]:
        n = len(self.convolutions)
        return [
            ConvLayer(
                layer.weight.detach().numpy().copy(),
                layer.bias.detach().numpy().copy(),
                after="sigmoid" if i == n - 1 else "relu",
                pool=1 if i == n - 1 else 2,
            )
            for i, layer in enumerate(self.convolutions)
        ]


def train_pairs(seed=0, n=20_000, epochs=12, filters=(5, 5, 6, 6, 1), starts=4):
    """Train on pairs against single motifs; the best of some starts. Gives it and its AUROC."""
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    codes = np.concatenate([pairs(rng, n)[0], negatives(rng, n)])
    labels = np.repeat([1.0, 0.0], n)
    x, y = torch.from_numpy(one_hot(codes)), torch.tensor(labels, dtype=torch.float32)
    held = np.concatenate([pairs(rng, 1000)[0], negatives(rng, 1000)])
    best, best_score = None, 0.0
    for start in range(starts):
        torch.manual_seed(seed * 100 + start)
        network = PairNetwork(filters)
        steps = epochs * (2 * n // 128)
        optimizer = torch.optim.Adam(network.parameters())
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=steps)
        for _ in range(epochs):
            for rows in torch.randperm(2 * n).split(128)[: 2 * n // 128]:
                loss = F.binary_cross_entropy_with_logits(network(x[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        with torch.no_grad():
            scores = network(torch.from_numpy(one_hot(held))).numpy()
        score = float(roc_auc_score(np.repeat([1, 0], 1000), scores))
        if score > best_score:
            best, best_score = network, score
    return best, best_score
