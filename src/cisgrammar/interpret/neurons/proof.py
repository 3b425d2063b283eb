"""Proof: motifs put into random sequences, to see that the neuron follows what was read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cisgrammar.common.seeds import derive_seed
from cisgrammar.interpret.neurons.facets import Facet
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.syntax import Node, Site

BACKGROUNDS = 24
ACTIVE = 1 / 3  # of the highest of four means, above which a combination counts as active
MOST_WORDS = 6  # motifs of a neuron that are asked about in pairs
CONTROLS = ("pair", "swapped", "scrambled", "first alone")


def random_backgrounds(
    n: int, length: int, seed: int, composition: np.ndarray | None = None
) -> np.ndarray:
    """Draw sequences ``(n, length)`` of a base composition, even by default."""
    rng = np.random.default_rng(seed)
    return rng.choice(4, (n, length), p=composition).astype(np.uint8)


def words_of(facets: Sequence[Facet], sites: Sequence[Sequence[Site]]) -> dict[str, np.ndarray]:
    """Spell each motif of a neuron by the facet of the highest activation that shows it."""
    found: dict[str, np.ndarray] = {}
    for facet, its in zip(facets, sites, strict=True):
        letters = facet.ppm.argmax(axis=0).astype(np.uint8)
        for site in its:
            start, end = max(site.start, 0), min(site.end, len(letters))
            found.setdefault(site.word, letters[start:end])
    return found


def highest(network: Network, depth: int, neuron: int, codes: np.ndarray) -> np.ndarray:
    """Give the neuron's highest value along each sequence: ``(n,)``."""
    found = np.empty(len(codes), np.float32)
    for rows, values in network.scan(codes, depth):
        found[rows] = values[:, neuron].max(axis=1)
    return found


def spacing_curves(
    network: Network,
    depth: int,
    neuron: int,
    node: Node,
    words: dict[str, np.ndarray],
    seed: int = 1,
    composition: np.ndarray | None = None,
    n_backgrounds: int = BACKGROUNDS,
) -> pd.DataFrame:
    """Put a pair of motifs into random sequences at every gap.

    Parameters
    ----------
    network, depth, neuron
        Which.
    node
        A join; its neighbouring motifs, the last of the left and the first of the right, are put
        in, with the rest of either side at the gaps in the middle of their ranges.
    words
        Of :func:`words_of`.
    seed, composition, n_backgrounds
        Of the random sequences.

    Returns
    -------
    gap, arrangement (one of :data:`CONTROLS`), activation (mean over sequences of the highest
    value along each), sd, expected (whether the gap is in the node's range). ``swapped`` has the
    sides in the other order, ``scrambled`` the letters of both in random order.
    """
    assert node.left is not None and node.right is not None and node.gaps is not None
    left, right = spelled(node.left, words), spelled(node.right, words)
    rng = np.random.default_rng(derive_seed(seed, "spacing", depth, neuron))
    scrambled = rng.permutation(left), rng.permutation(right)
    reach = network.length(depth)
    longest = max(1, reach - len(left) - len(right) + 1 + reach // 4)
    gaps = np.arange(min(0, node.gaps[0]), max(longest, node.gaps[1] + 2))
    length = 2 * reach + len(left) + len(right)
    backgrounds = random_backgrounds(
        n_backgrounds, length, derive_seed(seed, "backgrounds", depth, neuron), composition
    )
    jitter = rng.integers(0, max(1, network.step(depth)), n_backgrounds)
    sides = {
        "pair": (left, right),
        "swapped": (right, left),
        "scrambled": scrambled,
        "first alone": (left, right[:0]),
    }
    rows = []
    for arrangement, (first, second) in sides.items():
        asked = gaps if len(second) else gaps[:1]
        codes = np.tile(backgrounds, (len(asked), 1, 1))
        for put, gap in zip(codes, asked.tolist(), strict=True):
            start = (length - len(first) - len(second) - gap) // 2 + jitter
            _put(put, first, start)
            _put(put, second, start + len(first) + gap)
        values = highest(network, depth, neuron, codes.reshape(-1, length))
        each = values.reshape(len(asked), -1)
        rows += [
            (gap, arrangement, own.mean(), own.std())
            for gap, own in zip(asked.tolist(), each, strict=True)
        ]
    table = pd.DataFrame(rows, columns=["gap", "arrangement", "activation", "sd"])
    table["expected"] = table["gap"].between(*node.gaps)
    return table


def spelled(node: Node, words: dict[str, np.ndarray]) -> np.ndarray:
    """Spell a node, random bases between its motifs drawn once and for all as A C G T in turn."""
    if node.left is None or node.right is None or node.gaps is None:
        return words[node.words[0]]
    left, right = spelled(node.left, words), spelled(node.right, words)
    gap = sum(node.gaps) // 2
    if gap < 0:
        return np.concatenate([left[:gap], right])
    return np.concatenate([left, np.arange(gap, dtype=np.uint8) % 4, right])


def _put(codes: np.ndarray, word: np.ndarray, starts: np.ndarray) -> None:
    codes[np.arange(len(codes))[:, None], starts[:, None] + np.arange(len(word))] = word


def truth_table(
    network: Network,
    depth: int,
    neuron: int,
    facets: Sequence[Facet],
    sites: Sequence[Sequence[Site]],
    threshold: float,
    seed: int = 1,
    composition: np.ndarray | None = None,
) -> pd.DataFrame:
    """Ask the neuron about each pair of its motifs: neither, one, the other, both.

    Parameters
    ----------
    network, depth, neuron, threshold
        Which, and above what it is active.
    facets, sites
        Its facets, and the sites in each. A motif is put where it stands in the facet of the
        highest activation; two where one facet shows both, else where their places do not overlap.
    seed, composition
        Of the random sequences.

    Returns
    -------
    first, second, neither, only_first, only_second, both (mean activations; both is NaN where the
    two need one place), link: AND, OR, XOR, ``first`` or ``second`` (the other adds nothing
    needed), or ``none``.

    Notes
    -----
    Of many motifs the :data:`MOST_WORDS` of the most sequences are asked about. A combination is
    active where its mean is above the threshold and above a third of the way
    to the highest of the four. Motifs that need one place are alternatives: OR if each is active.
    """
    places = _places(facets, sites)
    weights = {name: sum(len(facets[k].rows) for k, *_ in its) for name, its in places.items()}
    names = sorted(sorted(places, key=lambda name: (-weights[name], name))[:MOST_WORDS])
    seed = derive_seed(seed, "truth", depth, neuron)
    background = random_backgrounds(BACKGROUNDS, network.length(depth), seed, composition)

    def mean(*put: tuple[int, int, int]) -> float:
        codes = background.copy()
        for facet, start, end in put:
            codes[:, start:end] = facets[facet].ppm.argmax(axis=0)[start:end]
        return float(network.read(codes, depth)[:, neuron].mean())

    none, rows = mean(), []
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            a, b, together = _apart(places[first], places[second])
            both = mean(a, b) if together else np.nan
            values = none, mean(a), mean(b), both
            rows.append((first, second, *values, _link(values, threshold)))
    columns = ["first", "second", "neither", "only_first", "only_second", "both", "link"]
    return pd.DataFrame(rows, columns=columns)


Place = tuple[int, int, int]  # facet, start, end


def _places(facets: Sequence[Facet], sites: Sequence[Sequence[Site]]) -> dict[str, list[Place]]:
    """List where each motif stands; the second of two equal ones in a facet is another motif."""
    found: dict[str, list[Place]] = {}
    for number, (facet, its) in enumerate(zip(facets, sites, strict=True)):
        seen: dict[str, int] = {}
        for site in its:
            seen[site.word] = seen.get(site.word, 0) + 1
            name = site.word if seen[site.word] == 1 else f"{site.word}'{seen[site.word]}"
            start, end = max(site.start, 0), min(site.end, facet.ppm.shape[1])
            found.setdefault(name, []).append((number, start, end))
    return found


def _apart(first: list[Place], second: list[Place]) -> tuple[Place, Place, bool]:
    """Choose places of two motifs: of one facet, else places that do not overlap, if there are."""
    pairs = [(a, b) for a in first for b in second]
    free = [(a, b) for a, b in pairs if a[2] <= b[1] or b[2] <= a[1]]
    together = [(a, b) for a, b in free if a[0] == b[0]]
    for found in (together, free):
        if found:
            return *min(found), True
    return *pairs[0], False


def _link(values: tuple[float, float, float, float], threshold: float) -> str:
    """Name what joins two motifs."""
    heights = np.array(values) - threshold
    top = np.nanmax(heights)
    if not top > 0:
        return "none"
    neither, first, second = (heights[:3] > ACTIVE * top).tolist()
    if np.isnan(heights[3]):
        return "OR" if first and second else "none"
    both = bool(heights[3] > ACTIVE * top)
    links = {
        (False, False, True): "AND",
        (True, True, True): "OR",
        (True, True, False): "XOR",
        (True, False, True): "first",
        (False, True, True): "second",
        (True, False, False): "first without second",
        (False, True, False): "second without first",
    }
    return "none" if neither else links.get((first, second, both), "none")
