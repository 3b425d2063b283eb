"""Motifs in linked peaks: hand-made peaks of which those with one motif are linked."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse
from scipy.stats import mannwhitneyu

from cisgrammar.interpret.link_motifs import (
    candidate_peaks,
    find_link_motifs,
    find_link_regulators,
    without_shift,
)

N = 400
MOTIFS = pd.DataFrame(
    {
        "motif": ["M1", "M2", "M3", "M4"],
        "name": ["ONE", "TWO", "THREE", "FOUR"],
        "tfs": ["A;B", "C", "", "D"],
    }
)
TYPES = ["t1", "t2", "t3", "t4", "t5"]


@pytest.fixture
def case():
    """Peaks with M1 raise their gene, those with M2 lower it, M3 does nothing, M4 is nowhere."""
    rng = np.random.default_rng(1)
    hits = rng.random((N, 4)) < [0.2, 0.2, 0.2, 0]
    effect = rng.normal(0, 0.1, N) + 0.5 * hits[:, 0] - 0.5 * hits[:, 1]
    names = pd.Index([f"p{i}" for i in range(N)])
    links = pd.DataFrame(
        {
            "gene": [f"g{i % 50}" for i in range(N)],
            "peak": names,
            "effect": effect,
            "call": np.where(effect > 0.35, "strong", ""),
        }
    )
    peaks = pd.DataFrame(
        {
            "chrom": [f"chr{i % 4}" for i in range(N)],
            "accessibility": rng.random(N),
            "gc": rng.random(N),
        },
        index=names,
    )
    return links, peaks, sparse.csr_matrix(hits * 7.5)


def test_motifs_of_linked_peaks_stand_out(case):
    links, peaks, hits = case
    table = find_link_motifs(links, peaks, hits, MOTIFS, seed=1).set_index("motif")
    assert table.loc["M1", "q"] < 1e-6 and table.loc["M1", "share"] > 0.9
    assert table.loc["M1", "odds_ratio"] > 20
    assert table.loc[["M2", "M3"], "q"].min() > 0.05
    assert table["effect"].round(1)[["M1", "M2", "M3"]].tolist() == [0.5, -0.5, 0.0]
    assert table.loc[["M1", "M2"], "q_effect"].max() < 1e-6 < table.loc["M3", "q_effect"]
    assert table.loc["M4", "peaks"] == 0 and np.isnan(table.loc["M4", "p_effect"])
    assert set(table.index[:2]) == {"M1", "M2"}


def test_effects_are_tested_as_scipy_does(case):
    links, peaks, hits = case
    table = find_link_motifs(links, peaks, hits, MOTIFS, seed=1).set_index("motif")
    has = hits.toarray()[:, 0] > 0
    expected = mannwhitneyu(
        links["effect"][has], links["effect"][~has], use_continuity=False, method="asymptotic"
    )
    assert table.loc["M1", "p_effect"] == pytest.approx(expected.pvalue, rel=1e-6)


def test_a_peak_of_several_genes_counts_once_with_its_largest_effect(case):
    links, peaks, hits = case
    again = pd.concat([links, links.assign(gene="other", effect=links["effect"] / 10, call="")])
    one = find_link_motifs(links, peaks, hits, MOTIFS, seed=1)
    other = find_link_motifs(again.reset_index(drop=True), peaks, hits, MOTIFS, seed=1)
    pd.testing.assert_frame_equal(one, other)


def test_nothing_is_linked(case):
    links, peaks, hits = case
    table = find_link_motifs(links.assign(call=""), peaks, hits, MOTIFS, seed=1)
    assert (table["linked"] == 0).all() and (table["p"] == 1).all()


def test_tfs_follow_what_links_with_their_motif_do(case):
    links, peaks, hits = case
    rng = np.random.default_rng(1)
    wave = np.array([1.0, 5, 2, 4, 3])
    activity = rng.normal(0, 0.01, (5, N)) + wave[:, None]
    by_type = AnnData(
        activity.astype(np.float32), pd.DataFrame(index=TYPES), links.set_index("peak")
    )
    genes = pd.DataFrame({"gene_name": ["A", "B", "C"]}, index=["ENSG1", "ENSG2", "ENSG3"])
    counts = np.stack([10 * wave, 10 * wave[::-1], np.ones(5)], axis=1)
    expression = AnnData(counts, pd.DataFrame(index=TYPES), genes)
    found = find_link_regulators(links, by_type, hits, peaks.index, MOTIFS, expression)
    assert "M4" not in set(found["motif"])
    best = found.iloc[0]
    assert (best["motif"], best["tf"], best["rank"]) == ("M1", "A", 1)
    assert best["rho"] == pytest.approx(1)
    assert best["links"] == ((links["call"] != "") & (hits.toarray()[:, 0] > 0)).sum()


def test_candidates_are_the_peaks_of_pairs():
    links = pd.DataFrame({"peak": ["c", "a", "c"]})
    assert candidate_peaks(links, pd.Index(["a", "b", "c"])).tolist() == [0, 2]


def test_a_motif_that_shares_peaks_with_a_surer_one_says_so(case):
    links, peaks, hits = case
    dense = hits.toarray()
    dense[:, 2] = dense[:, 0]
    dense[:40, 2] = 0
    table = find_link_motifs(links, peaks, sparse.csr_matrix(dense), MOTIFS, seed=1)
    assert table.set_index("motif")["like"].to_dict() == {"M1": "", "M2": "", "M3": "M1", "M4": ""}


def test_genes_that_most_are_alike_to_stand_still():
    """Of 100 genes 80 do not change; the others rise so much in t1 that all seem to fall."""
    truth = np.ones((5, 100))
    truth[0, 80:] = 50
    truth *= np.linspace(1, 3, 100)
    genes = pd.DataFrame(index=[f"g{i}" for i in range(100)])
    shares = 1e6 * truth / truth.sum(axis=1, keepdims=True)
    by_label = AnnData(sparse.csr_matrix(shares), pd.DataFrame(index=TYPES), genes)
    found = without_shift(by_label).X.toarray()
    assert found[:, :80] / found[1, :80] == pytest.approx(1, rel=0.05)
    assert (found[0, 80:] / found[1, 80:]).min() > 40


def test_without_calls_there_are_no_regulators(case):
    links, peaks, hits = case
    links = links.assign(call="")
    by_type = AnnData(np.zeros((5, N)), pd.DataFrame(index=TYPES), links.set_index("peak"))
    genes = pd.DataFrame({"gene_name": ["A", "B"]}, index=["g0", "g1"])
    expression = AnnData(sparse.csr_matrix(np.ones((5, 2))), pd.DataFrame(index=TYPES), genes)
    found = find_link_regulators(links, by_type, hits, peaks.index, MOTIFS, expression)
    assert found.empty and {"motif", "links", "tf", "rho", "rank"} <= set(found)
