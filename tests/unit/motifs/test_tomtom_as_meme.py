"""Tomtom beside a plain restatement of MEME's procedure: p-values, alignments, strands."""

import meme_tomtom
import numpy as np
import pandas as pd
import pytest
from made_inputs import SHARED, real

from cisgrammar.motifs import tomtom
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.meme import Motif, read_meme

EXACT = 1_000_000  # bins: those of the medians hold one value each


def random_motifs(n, seed):
    """Of several widths and numbers of sites, none among them; some vague, some sure."""
    rng = np.random.default_rng(seed)
    return [
        Motif(
            f"m{i}",
            rng.dirichlet([rng.choice([0.1, 1.0])] * 4, rng.integers(3, 16)).T,
            rng.choice([0, 1, 20, 300]),
        )
        for i in range(n)
    ]


def jaspar():
    return load_database("jaspar:CORE:vertebrates:2024").motifs


@pytest.fixture(params=["random", "jaspar", "cisbp"])
def motifs(request):
    """Some queries and a database: drawn, of many sites, of one site each."""
    if request.param == "random":
        return random_motifs(25, seed=1), random_motifs(120, seed=2)
    if request.param == "jaspar":
        return jaspar()[5::90], jaspar()
    cisbp = read_meme(real(SHARED / "motifs" / "cisbp_1.02_mus_musculus.meme"))
    return cisbp[3::80], jaspar()[::4] + cisbp[::6]


def restated(queries, targets):
    rows = [
        (query.name, target.name, match.p, match.offset, match.overlap, match.orientation)
        for query in queries
        for target, match in zip(targets, meme_tomtom.matches(query, targets), strict=True)
    ]
    columns = ["p-value", "Optimal_offset", "Overlap", "Orientation"]
    table = pd.DataFrame(rows, columns=["Query_ID", "Target_ID", *columns])
    return table.set_index(["Query_ID", "Target_ID"])


def compared(queries, targets, like):
    table = tomtom.compare(queries, targets, threshold=1)
    return table.set_index(["Query_ID", "Target_ID"]).loc[like.index]


def differences(found, expected):
    """Between logarithms to base 10; none below the smallest double."""
    logs = [np.log10(np.maximum(t["p-value"].to_numpy(), 1e-300)) for t in (found, expected)]
    return np.abs(logs[0] - logs[1])


def test_every_pair_is_as_meme_has_it_where_medians_are_exact(motifs, monkeypatch):
    monkeypatch.setattr(tomtom, "N_MEDIAN_BINS", EXACT)
    expected = restated(*motifs)
    found = compared(*motifs, expected)
    assert differences(found, expected).max() < 1e-3
    assert expected["p-value"].min() < 1e-4
    chosen = expected["p-value"] < 0.999  # at 1 both strands are equal but for rounding
    for column in ["Optimal_offset", "Overlap", "Orientation"]:
        assert (found[column] == expected[column])[chosen].all(), column


def test_nearly_every_pair_is_with_the_medians_we_take(motifs):
    expected = restated(*motifs)
    found = compared(*motifs, expected)
    apart = differences(found, expected)
    assert (apart < 1e-3).mean() > 0.98 and apart.max() < 0.3
    same = found["Orientation"] == expected["Orientation"]
    assert same.mean() > 0.995


def test_hits_come_in_the_order_of_meme():
    """Equal p-values: the longer overlap first, then forward, then by name."""
    queries = random_motifs(10, seed=1)
    targets = random_motifs(120, seed=2)
    twins = [Motif(f"a{i}", t.matrix, t.n_sites) for i, t in enumerate(targets)]
    table = tomtom.compare(queries, targets + twins, threshold=1)
    keys = zip(
        table["p-value"], -table["Overlap"], table["Orientation"], table["Target_ID"], strict=True
    )
    table["key"] = list(keys)
    for _, rows in table.groupby("Query_ID"):
        assert rows["key"].tolist() == sorted(rows["key"])
    assert table["p-value"].duplicated().any()
