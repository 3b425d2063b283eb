"""The search for sequences that excite neurons: of all neurons of a layer at once, by gradients."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import torch

from cisgrammar.common.progress import progress
from cisgrammar.common.seeds import derive_seed
from cisgrammar.interpret.neurons.archive import Archive, collect, hashes
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.seeding import pasted, random_codes

PARENTS = 48  # the best sequences of each neuron, from which the next are made
PATIENCE = 12  # generations without a higher value that end a neuron's search
LEAST_GAIN = 1e-4  # of the highest value
LEAST_BATCH = 512  # sequences of a generation, where neurons are few
OF_BEST, CROSSED, SHIFTED = 0.2, 0.2, 0.1  # shares of the children; the rest continue climbs
POLISHED, TRIED = 20, 8  # last rounds, and single changes of each of a neuron's two best in one
QUIET = 0.02  # of the largest gain: below it a base is free
STUCK = 8  # generations without a higher value after which a climb begins anew
MOST_MUTATIONS = 0.12  # of a sequence's bases
HEATS = (0.02, 0.1, 0.3, 1.0)  # of mutations, in units of the largest gain
FIRST = 4  # times as many seeds in the first generation as later children
RANKED, DRAWN = 64, 192  # sequences of a batch that a neuron's archive takes: the best, and others

Seeds = tuple[list[Archive], np.ndarray]
logger = logging.getLogger(__name__)


def search(
    network: Network,
    depth: int,
    thresholds: np.ndarray,
    *,
    seeds: Seeds | None = None,
    neurons: np.ndarray | None = None,
    most: int = 4000,
    generations: int = 80,
    children: int = 24,
    seed: int = 1,
) -> list[Archive]:
    """Find sequences that excite each neuron of a layer.

    Parameters
    ----------
    network, depth
        Which layer.
    thresholds
        Of each neuron's activation, ``(filters,)``.
    seeds
        Archives and maxima of the layer below; random sequences where None.
    neurons
        Those that are searched for; all by default.
    most
        Sequences that each archive keeps.
    generations, children
        The most generations, and new sequences of each neuron in one. They bound the time.
    seed
        The result depends on it, not on the number of threads.

    Returns
    -------
    One archive for each neuron of the layer.

    Notes
    -----
    Wei et al. (2023) search neuron by neuron. A pass through the network gives all neurons of a
    layer, so here every sequence that any neuron's search makes is judged by all of them.
    Mutations are drawn by the gain that the gradient foretells; a gain of 0 everywhere, below
    ReLUs that are closed, leaves them to chance. Many climbs of each neuron go on apart, each from
    a seed of its own, so that the archive shows all patterns and not the descendants of one. Beside
    the archive, which holds answers of every strength, each neuron has its best sequences, which
    are never lost; in the end these are polished base by base.
    """
    everyone = np.arange(network.filters(depth))
    state = _State(network, depth, thresholds, most, np.random.default_rng(seed))
    running = everyone if neurons is None else np.asarray(neurons)
    state.judge(state.seeds(running, FIRST * children, seeds))
    climbs = _Climbs(state, max(children, LEAST_BATCH // len(running)), seeds)
    for _ in progress(range(generations), f"layer {depth}, generations"):
        climbs.go_on(running)
        running = running[state.goes_on(running)]
        if not len(running):
            break
    searched = everyone if neurons is None else np.asarray(neurons)
    for _ in range(POLISHED):
        if not state.polish(searched):
            break
    logger.info(
        "layer %d: %d sequences were judged by all %d neurons",
        *(depth, state.n_judged, len(everyone)),
    )
    return state.archives(seed)


@dataclass
class _Pending:
    codes: list[np.ndarray]
    values: list[np.ndarray]
    n: int = 0


class _State:
    """What is known of each neuron so far."""

    def __init__(
        self,
        network: Network,
        depth: int,
        thresholds: np.ndarray,
        most: int,
        rng: np.random.Generator,
    ) -> None:
        self.network, self.depth, self.thresholds = network, depth, thresholds
        self.most, self.rng = most, rng
        n, self.length = network.filters(depth), network.length(depth)
        self.best = np.zeros((n, PARENTS, self.length), np.uint8)
        self.best_values = np.full((n, PARENTS), -np.inf, np.float32)
        self.waited = np.zeros(n, int)
        self.found = [_Pending([], []) for _ in range(n)]
        self.n_judged = 0

    def seeds(self, neurons: np.ndarray, n: int, below: Seeds | None) -> np.ndarray:
        """Make seeds of each of some neurons, a quarter random where there is a layer below."""
        n_random = n if below is None else n // 4
        parts = [random_codes(self.rng, n_random * len(neurons), self.length)]
        if below is not None:
            where = self.network, self.depth
            parts += [pasted(*where, int(i), below, n - n_random, self.rng) for i in neurons]
        return np.concatenate(parts)

    def recombined(self, neurons: np.ndarray, n: int) -> np.ndarray:
        """Mutate the best of each of some neurons, and cross and shift what excites it."""
        best, crossed, shifted = (max(1, int(n * share)) for share in (OF_BEST, CROSSED, SHIFTED))
        mothers = np.concatenate([self._of_best(neuron, best) for neuron in neurons])
        parts = [self.mutated(mothers, np.repeat(neurons, best))]
        for neuron in neurons:
            parts.append(self._crossed(self._of_all(neuron, 2 * crossed)))
            parts.append(self._shifted(self._of_all(neuron, shifted)))
        return np.concatenate(parts)

    def _of_best(self, neuron: int, n: int) -> np.ndarray:
        """Draw among a neuron's best, the better the likelier."""
        known = max(1, int(np.isfinite(self.best_values[neuron]).sum()))
        return self.best[neuron, np.floor(known * self.rng.random(n) ** 2).astype(int)]

    def _of_all(self, neuron: int, n: int) -> np.ndarray:
        """Draw among all that excite a neuron; among its best if nothing does."""
        pending = self.found[neuron]
        if not pending.n:
            return self._of_best(neuron, n)
        blocks = [pending.codes[i] for i in self.rng.integers(len(pending.codes), size=n)]
        return np.stack([block[self.rng.integers(len(block))] for block in blocks])

    def mutated(self, codes: np.ndarray, neurons: np.ndarray) -> np.ndarray:
        """Change the bases of which the gradient foretells the most, by chance.

        Half of those that change nothing are redrawn, so that no neighbours of a motif travel
        with it from sequence to sequence.
        """
        n, length = codes.shape
        gains = self._gains(codes, neurons)
        top = np.maximum(gains.max(axis=(1, 2), keepdims=True), 1e-12)
        quiet = np.abs(gains).max(axis=1) <= QUIET * top[:, 0]
        redrawn = quiet & (self.rng.random((n, length)) < 0.5)
        codes = np.where(redrawn, random_codes(self.rng, n, length), codes)
        heat = self.rng.choice(HEATS, (n, 1, 1)).astype(np.float32)
        noise = self.rng.gumbel(size=gains.shape).astype(np.float32)
        scores = gains / (top * heat) + noise
        np.put_along_axis(scores, codes[:, None].astype(int), -np.inf, axis=1)
        best, letters = scores.max(axis=1), scores.argmax(axis=1).astype(np.uint8)
        most = max(1, int(length * MOST_MUTATIONS))
        wanted = 1 + np.floor(most * self.rng.random(n) ** 2)
        rank = np.argsort(np.argsort(-best, axis=1), axis=1)
        return np.where(rank < wanted[:, None], letters, codes)

    def _gains(self, codes: np.ndarray, neurons: np.ndarray) -> np.ndarray:
        """Foretell what each change of a base does to each row's neuron: ``(n, 4, length)``."""
        n, length = codes.shape
        gains = np.empty((n, 4, length), np.float32)
        for batch in self.network.batches(n, self.depth):
            bases = self.network.one_hot(codes[batch]).requires_grad_(True)
            values = self.network.values(bases, self.depth)[..., 0]
            own = values[torch.arange(len(values)), torch.as_tensor(neurons[batch])]
            (slope,) = torch.autograd.grad(own.sum(), bases)
            gains[batch] = slope.cpu().numpy()
        return gains - np.take_along_axis(gains, codes[:, None].astype(int), axis=1)

    def polish(self, neurons: np.ndarray) -> bool:
        """Try the single changes that promise most to each neuron's two best; say if any rose."""
        mothers = self.best[neurons, :2].reshape(-1, self.length)
        gains = self._gains(mothers, np.repeat(neurons, 2)).reshape(len(mothers), -1)
        changes = np.argsort(-gains, axis=1, kind="stable")[:, :TRIED]
        codes = np.repeat(mothers, changes.shape[1], axis=0)
        letters, places = np.divmod(changes.ravel(), self.length)
        codes[np.arange(len(codes)), places] = letters
        before = self.best_values[neurons, 0].copy()
        self.judge(codes)
        return bool((self.best_values[neurons, 0] > before).any())

    def _crossed(self, codes: np.ndarray) -> np.ndarray:
        """Join the beginnings of some with the ends of others."""
        mothers, fathers = np.split(codes, 2)
        cut = self.rng.integers(1, max(2, self.length), (len(mothers), 1))
        return np.where(np.arange(self.length) < cut, mothers, fathers)

    def _shifted(self, codes: np.ndarray) -> np.ndarray:
        """Roll sequences by up to a step of the layer, to either side."""
        step = max(2, self.network.step(self.depth))
        shift = self.rng.integers(1, step, (len(codes), 1)) * self.rng.choice([-1, 1])
        return np.take_along_axis(codes, (np.arange(self.length) - shift) % self.length, axis=1)

    def goes_on(self, neurons: np.ndarray) -> np.ndarray:
        """Say for each neuron whether its value may rise yet, or its archive is too empty."""
        full = np.array([self.found[neuron].n >= self.most / 4 for neuron in neurons], bool)
        return self.waited[neurons] < np.where(full, PATIENCE, 3 * PATIENCE)

    def judge(self, codes: np.ndarray) -> np.ndarray:
        """Ask all neurons about sequences, keep what excites each, and give all values."""
        values = self.network.read(codes, self.depth)
        self.n_judged += len(codes)
        self._keep_best(codes, values)
        order = np.argsort(-values, axis=0, kind="stable")[:RANKED]
        drawn = self.rng.permutation(len(codes))[: max(DRAWN, 4 * len(codes) // values.shape[1])]
        for neuron in range(values.shape[1]):
            rows = np.union1d(order[:, neuron], drawn)
            rows = rows[values[rows, neuron] > self.thresholds[neuron]]
            if not len(rows):
                continue
            pending = self.found[neuron]
            pending.codes.append(codes[rows])
            pending.values.append(values[rows, neuron])
            pending.n += len(rows)
            if pending.n > 3 * self.most:
                self._compress(neuron)
        return values

    def _keep_best(self, codes: np.ndarray, values: np.ndarray) -> None:
        """Merge a batch into each neuron's best, each sequence once."""
        top = np.argsort(-values, axis=0, kind="stable")[:PARENTS].T  # (neurons, some)
        merged = np.concatenate([self.best, codes[top]], axis=1)
        its = np.concatenate([self.best_values, np.take_along_axis(values.T, top, axis=1)], axis=1)
        keys = hashes(merged)
        order = np.lexsort((keys, -its), axis=1)
        sorted_keys = np.take_along_axis(keys, order, axis=1)
        its = np.take_along_axis(its, order, axis=1)
        its[:, 1:][sorted_keys[:, 1:] == sorted_keys[:, :-1]] = -np.inf
        kept = np.argsort(-its, axis=1, kind="stable")[:, :PARENTS]
        before = self.best_values[:, 0].copy()
        self.best_values = np.take_along_axis(its, kept, axis=1)
        rows = np.take_along_axis(order, kept, axis=1)
        self.best = np.take_along_axis(merged, rows[..., None], axis=1)
        gain = LEAST_GAIN * np.where(np.isfinite(before), np.abs(before), 0)
        risen = self.best_values[:, 0] > before + gain
        self.waited = np.where(risen, 0, self.waited + 1)

    def _compress(self, neuron: int) -> None:
        pending = self.found[neuron]
        kept = collect(
            np.concatenate(pending.codes),
            np.concatenate(pending.values),
            self.thresholds[neuron],
            self.most,
            self.rng,
        )
        order = self.rng.permutation(len(kept))  # blocks are drawn from evenly
        self.found[neuron] = _Pending([kept.codes[order]], [kept.values[order]], len(kept))

    def archives(self, seed: int) -> list[Archive]:
        """Give what was found of each neuron, its best among them."""
        archives = []
        for neuron, pending in enumerate(self.found):
            codes = np.concatenate([self.best[neuron], *pending.codes])
            values = np.concatenate([self.best_values[neuron], *pending.values])
            rng = np.random.default_rng(derive_seed(seed, "archive", neuron))
            archives.append(collect(codes, values, self.thresholds[neuron], self.most, rng))
        return archives


class _Climbs:
    """Sequences of each neuron that are improved on their own, so that no pattern takes over."""

    def __init__(self, state: _State, children: int, below: Seeds | None) -> None:
        n_filters = len(state.found)
        self.state, self.children, self.below = state, children, below
        self.n = max(1, int(children * (1 - OF_BEST - CROSSED - SHIFTED)))
        self.codes = np.zeros((n_filters, self.n, state.length), np.uint8)
        self.values = np.full((n_filters, self.n), -np.inf, np.float32)
        self.waited = np.full((n_filters, self.n), STUCK)

    def go_on(self, neurons: np.ndarray) -> None:
        """Take a step in each climb of some neurons, or begin it anew where it is stuck."""
        state = self.state
        stuck = self.waited[neurons] >= STUCK  # (neurons, climbs)
        steps = self.codes[neurons]
        if (~stuck).any():
            owners = np.repeat(neurons[:, None], self.n, axis=1)[~stuck]
            steps[~stuck] = state.mutated(steps[~stuck], owners)
        for row, neuron in enumerate(neurons):
            if fresh := int(stuck[row].sum()):
                steps[row, stuck[row]] = state.seeds(np.array([neuron]), fresh, self.below)
        flat = steps.reshape(-1, state.length)
        values = state.judge(np.concatenate([flat, state.recombined(neurons, self.children)]))
        own = values[np.arange(len(flat)), np.repeat(neurons, self.n)].reshape(steps.shape[:2])
        risen = stuck | (own > self.values[neurons])
        self.codes[neurons] = np.where(risen[..., None], steps, self.codes[neurons])
        self.waited[neurons] = np.where(risen, 0, self.waited[neurons] + 1)
        self.values[neurons] = np.where(risen, own, self.values[neurons])
