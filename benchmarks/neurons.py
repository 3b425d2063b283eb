"""Neurons: what a whole layer costs against one neuron at a time, and what is found of known truth.

    python benchmarks/neurons.py speed results/demo_neurons/scbasset/fold0/model.pt
    python benchmarks/neurons.py pairs
    python benchmarks/neurons.py irf1
    python benchmarks/neurons.py planted results/demo_neurons

``speed`` samples layers of a trained model as `make demo-neurons` does, and some of their neurons
by a plain restatement of the published search: a population of each neuron's own, redrawn by its
gradient. ``pairs`` trains a network on pairs of motifs with a soft gap, and asks whether sequences
of one pair of starts come together. ``irf1`` trains one on ChIP-seq of IRF1. ``planted`` looks for
the planted motifs of a simulated multiome in the dictionary.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import torch
from measure import ROOT
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(ROOT / "tests/unit"))

from made_networks import CTCF_LIKE, LEFT, RIGHT, negatives, pairs, train_pairs

from cisgrammar.common.files import read_table
from cisgrammar.common.threads import set_threads
from cisgrammar.genome.sequence import encode, one_hot
from cisgrammar.interpret.neurons.archive import Archive, collect
from cisgrammar.interpret.neurons.choice import open_network
from cisgrammar.interpret.neurons.demixing import (
    DemixingSettings,
    alike,
    cluster,
    refined,
    settled,
    weighed_bases,
)
from cisgrammar.interpret.neurons.dictionary import annotate
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.proof import spacing_curves, words_of
from cisgrammar.interpret.neurons.reading import random_readings, read_layers
from cisgrammar.interpret.neurons.routing import routes
from cisgrammar.interpret.neurons.sampling import Samples, SamplingSettings, sample_layer
from cisgrammar.interpret.neurons.syntax import gap_range
from cisgrammar.interpret.neurons.tables import chance_table, dictionary_table, entry_motifs
from cisgrammar.models.conv_layers import ConvLayer
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.meme import read_meme
from cisgrammar.motifs.tomtom import compare, shuffled_matches

JASPAR = "jaspar:CORE:vertebrates:2024"
PLAIN_NEURONS = 3
PAIRS = DemixingSettings(most_facets=1000)  # 256 pairs of starts are planted


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def speed(path: Path) -> None:
    """Compare whole layers with a plain search of single neurons."""
    network, below = open_network([path]), None
    settings = SamplingSettings(2000, 60, 16)
    say("layer\tbases\tneurons\tours, s\tours, s per neuron\tplain, s per neuron\ttimes\tpeak MB")
    for depth in (1, 2, 3):
        start = time.perf_counter()
        samples = sample_layer(network, depth, settings, below)
        whole = time.perf_counter() - start
        n = len(samples.archives)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        row = f"{depth}\t{samples.length}\t{n}\t{whole:.1f}\t{whole / n:.3f}"
        if depth > 1:
            chosen = [i for i, each in enumerate(samples.archives) if len(each)][:PLAIN_NEURONS]
            start = time.perf_counter()
            highest = [plain_search(network, depth, i, samples.thresholds[i]) for i in chosen]
            plain = (time.perf_counter() - start) / len(chosen)
            ratios = [samples.archives[i].highest / h for i, h in zip(chosen, highest, strict=True)]
            row += f"\t{plain:.2f}\t{plain * n / whole:.0f}\t{peak:.0f}"
            row += f"\tours / plain, highest found: {', '.join(f'{r:.3f}' for r in ratios)}"
        say(row)
        below = samples


def plain_search(network: Network, depth: int, neuron: int, threshold: float) -> float:
    """Search for one neuron as published, from random seeds; give the highest value found."""
    rng, length = np.random.default_rng(neuron), network.length(depth)
    n = int(np.clip(1000 * (length // 20), 2000, 5000))
    population = rng.integers(0, 4, (n, length), dtype=np.uint8)
    highest, best_mean, waited = -np.inf, -np.inf, 0
    archive: dict[bytes, float] = {}
    for _ in range(200):
        slopes, values = [], []
        for batch in network.batches(n, depth):
            bases = network.one_hot(population[batch]).requires_grad_(True)
            own = network.values(bases, depth)[:, neuron, 0]
            slopes.append(torch.autograd.grad(own.sum(), bases)[0].numpy())
            values.append(own.detach().numpy())
        value, slope = np.concatenate(values), np.concatenate(slopes)
        highest = max(highest, float(value.max()))
        for row in np.flatnonzero(value > threshold):
            archive[population[row].tobytes()] = float(value[row])
        waited = 0 if value.mean() > best_mean else waited + 1
        best_mean = max(best_mean, float(value.mean()))
        if waited > 10:
            break
        population = next_generation(population, value, slope, rng)
    return highest


def next_generation(
    population: np.ndarray, value: np.ndarray, slope: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Keep the best tenth, roll some, cross the most, and redraw all by their gradients."""
    n, length = population.shape
    chance = np.maximum(one_hot(population) + slope, 0)
    chance = np.cumsum(chance / np.maximum(chance.sum(axis=1, keepdims=True), 1e-9), axis=1)
    redrawn = (rng.random((n, 1, length)) > chance[:, :3]).sum(axis=1).astype(np.uint8)
    best = redrawn[np.argsort(-value)[: n // 10]]
    rolled = np.roll(redrawn[: n // 5], 1, axis=1)
    weight = np.where(value >= 0, value + 1, np.exp(value))
    mothers, fathers = (rng.choice(n, n - len(best) - len(rolled), p=weight / weight.sum())
                        for _ in range(2))  # fmt: skip
    cut = rng.integers(1, length, (len(mothers), 1))
    crossed = np.where(np.arange(length) < cut, redrawn[mothers], redrawn[fathers])
    return np.concatenate([best, rolled, crossed])


def pair_truth() -> None:
    """Train on pairs with a soft gap, and score how pure clusters are in their starts."""
    trained, auroc = train_pairs(seed=2, n=15_000, epochs=10, starts=3)
    say(f"network of 82 bp, AUROC {auroc:.4f}")
    network, below = Network(trained.layers()), None
    rng = np.random.default_rng(5)
    codes, starts = pairs(rng, 40_000)
    values = network.read(codes, 5)[:, 0]
    say(f"random sequences without a pair that are active: "
        f"{(network.read(negatives(rng, 3000), 5)[:, 0] > 0).mean():.3f}")  # fmt: skip
    active = values > 0
    planted = collect(codes[active], values[active], 0, 10**6, rng)
    known = dict(zip(map(bytes, codes[active]), map(tuple, starts[active]), strict=True))
    told = np.array([known[bytes(each)] for each in planted.codes])
    for power in (1, 2):
        for rectified in (False, True):
            labels = cluster(network, 5, planted, power, rectified)
            report(f"planted, k-means, P {power}, rectified {rectified}", labels, told)
    for level, labels in enumerate(routes(network, 5, 0, planted.codes)):
        report(f"planted, routing, level {level}", labels, told)
        labels = settled(planted.codes, labels, PAIRS)
        report(f"planted, routing, level {level}, settled", labels, told)
    for depth in range(1, 6):
        last = depth == 5
        settings = SamplingSettings(60_000 if last else 4000, 400 if last else 80)
        below = sample_layer(network, depth, settings, below)
    assert below is not None
    own = below.archives[0]
    told, clear = starts_by_match(own.codes)
    n_pairs = len(np.unique(told[clear], axis=0))
    say(f"search: {len(own)} sequences, highest {own.highest:.2f}, planted {values.max():.2f}")
    say(f"search: starts are clear in {clear.mean():.2f}, {n_pairs} pairs of them")
    weighed = weighed_bases(network, 5, 0, own.codes)
    for level, labels in enumerate(routes(network, 5, 0, own.codes)):
        labels = refined(own.codes, labels, PAIRS)
        report(f"search, routing, level {level}, refined", labels[clear], told[clear])
        labels = alike(weighed, labels, PAIRS)
        say(f"search, routing, level {level}: {(labels >= 0).mean():.2f} of sequences resemble one")
        report(f"search, routing, level {level}, alike", labels[clear], told[clear])
    read_pair(network, planted)


def starts_by_match(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the starts where the motif fits best on either side, and whether no other comes near."""
    windows = np.lib.stride_tricks.sliding_window_view(codes, len(CTCF_LIKE), axis=1)
    matches = (windows == encode(CTCF_LIKE)).sum(axis=2)
    sides = matches[:, :LEFT], matches[:, RIGHT : RIGHT + LEFT]
    ranked = [np.sort(side, axis=1) for side in sides]
    clear = np.all([each[:, -1] - each[:, -2] >= 2 for each in ranked], axis=0)
    return np.stack([sides[0].argmax(1), RIGHT + sides[1].argmax(1)], axis=1), clear


def report(name: str, labels: np.ndarray, starts: np.ndarray, least: int = 20) -> None:
    """Say what share of each cluster its commonest pair of starts holds."""
    shares, sizes = [], []
    for label in np.unique(labels[labels >= 0]):
        its = starts[labels == label]
        if len(its) >= least:
            shares.append(np.unique(its, axis=0, return_counts=True)[1].max() / len(its))
            sizes.append(len(its))
    covered, by_size = sum(sizes) / len(labels), np.average(shares, weights=sizes)
    say(
        f"{name}: {len(shares)} clusters with {covered:.3f} of the sequences; "
        f"commonest pair {np.mean(shares):.3f} on average, {by_size:.3f} by size"
    )


def read_pair(network: Network, planted: Archive) -> None:
    """Read motifs, gaps and the curve of spacing from planted sequences."""
    samples = Samples(5, 82, np.zeros(1, np.float32), [planted], "planted")
    settings = DemixingSettings(most_facets=300)
    reading = read_layers(network, {5: samples}, 1, settings)[5]
    gaps, weights = [], []
    for facet, sites in zip(reading.facets[0], reading.sites[0], strict=True):
        if len(sites) >= 2:
            gaps.append(sites[-1].start - sites[0].start)
            weights.append(len(facet.rows))
    say(f"facets: {len(reading.facets[0])}; distance of starts "
        f"{gap_range(np.array(gaps), np.array(weights))}, planted 29 to 59")  # fmt: skip
    if 0 in reading.trees:
        tree = reading.trees[0]
        say(f"syntax: {tree.text}, {tree.kind}")
        words = words_of(reading.facets[0], reading.sites[0])
        table = spacing_curves(network, 5, 0, tree, words)
        for name, its in table.groupby("arrangement", sort=False):
            inside = its.loc[its["expected"], "activation"]
            outside = its.loc[~its["expected"], "activation"]
            say(f"{name}: mean activation within the gaps {inside.mean():.2f}, "
                f"outside {outside.mean():.2f}")  # fmt: skip


class Irf1Network(nn.Module):
    """Two convolutions and the highest of each filter along the sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(4, 24, 11), nn.Conv1d(24, 24, 5)
        self.head = nn.Linear(24, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give logits: ``(n, 4, length)`` to ``(n,)``."""
        x = F.max_pool1d(F.relu(self.first(x)), 3)
        return self.head(F.relu(self.second(x)).amax(dim=2))[:, 0]

    def layers(self) -> list[ConvLayer]:
        """Describe both."""
        return [
            ConvLayer(each.weight.detach().numpy(), each.bias.detach().numpy(), pool=pool)
            for each, pool in ((self.first, 3), (self.second, 1))
        ]


def irf1() -> None:
    """Train on ChIP-seq of IRF1 against other peaks, on both strands, and read its neurons."""
    from sklearn.metrics import roc_auc_score

    with h5py.File(ROOT.parent / "shared/data/neuronmotif/IRF1_400_h3k27ac.h5") as file:
        x = {key: torch.from_numpy(file[f"X_{key}"][...]) for key in ("train", "valid", "test")}
        y = {key: torch.from_numpy(file[f"Y_{key}"][:, 0].astype(np.float32)) for key in x}
    torch.manual_seed(1)
    model = Irf1Network()
    optimizer = torch.optim.Adam(model.parameters(), 2e-3, weight_decay=1e-5)
    best, state = 0.0, model.state_dict()
    for _ in range(25):
        for rows in torch.randperm(len(x["train"])).split(64):
            batch = x["train"][rows]
            batch = batch.flip(1, 2) if torch.rand(()) < 0.5 else batch
            loss = F.binary_cross_entropy_with_logits(model(batch), y["train"][rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            score = float(roc_auc_score(y["valid"], model(x["valid"])))
        if score > best:
            best, state = score, {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(state)
    with torch.no_grad():
        say(f"AUROC on the test part {roc_auc_score(y['test'], model(x['test'])):.3f}")
    network, below, samples = Network(model.layers()), None, {}
    settings, demixing = SamplingSettings(), DemixingSettings()
    for depth in (1, 2):
        below = samples[depth] = sample_layer(network, depth, settings, below)
    readings = read_layers(network, samples, 24, demixing)
    by_chance = random_readings(network, [1, 2], settings, demixing, 24)
    known = load_database(JASPAR)
    tfs = dict(zip(known.table["motif"], known.table["tfs"], strict=True))
    for depth, reading in readings.items():
        table = dictionary_table(reading, known.motifs, tfs, 0.05)
        named = annotate(reading.segments, reading.entries)
        irf = table[table["tf"].fillna("").str.contains("IRF|STAT2")]
        for row in irf.itertuples():
            strands = named.loc[named["entry"] == row.entry, "strand"].value_counts().to_dict()
            say(f"layer {depth}, {row.entry} {row.consensus}: {row.tf}, q {row.q:.2g}; segments of "
                f"{row.n_neurons} neurons by strand {strands}")  # fmt: skip
        say(chance_table(reading, known.motifs, 0.05, 1, by_chance[depth]).to_string(index=False))


def planted(folder: Path) -> None:
    """Look for planted motifs among the entries of each layer, and for as many by chance."""
    model = folder / "scbasset"
    truth = read_meme(folder / "simulation/truth/motifs.meme")
    if (folder / "simulation/truth/pairs.meme").exists():
        truth += read_meme(folder / "simulation/truth/pairs.meme")
    network = open_network([model / "fold0/model.pt"])
    layers = sorted(read_table(model / "neurons/neurons.tsv")["layer"].unique())
    by_chance = random_readings(network, layers, SamplingSettings(), DemixingSettings(), 64)
    entries = read_meme(model / "neurons/dictionary.meme")
    known = load_database(JASPAR).motifs
    for depth in layers:
        own = [motif for motif in entries if motif.name.startswith(f"L{depth}_")]
        for name, motifs in (("trained", own), ("random weights", entry_motifs(by_chance[depth]))):
            found = compare(motifs, [*truth, *known], 0.05) if motifs else None
            names = set() if found is None else set(found["Target_ID"]) & {m.name for m in truth}
            say(f"layer {depth}, {name}: {len(motifs)} entries")
            say(f"  {len(names)} of {len(truth)} planted motifs: {', '.join(sorted(names))}")
        if own:
            say(shuffled_matches(own, truth + known, 0.05).to_string(index=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["speed", "pairs", "irf1", "planted"])
    parser.add_argument("path", nargs="?", type=Path)
    arguments = parser.parse_args()
    set_threads(1)
    if arguments.what == "speed":
        speed(arguments.path)
    elif arguments.what == "planted":
        planted(arguments.path)
    else:
        {"pairs": pair_truth, "irf1": irf1}[arguments.what]()


if __name__ == "__main__":
    main()
