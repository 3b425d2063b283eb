import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cisgrammar.motifs import tomtom
from cisgrammar.motifs.meme import Motif


def word(letters, name=None, sure=0.97):
    rest = (1 - sure) / 3
    columns = [[sure if base == letter else rest for base in "ACGT"] for letter in letters]
    return Motif(name or letters, np.array(columns).T)


def noise(n, width=10, seed=0):
    rng = np.random.default_rng(seed)
    return [Motif(f"noise{i}", rng.dirichlet([0.3] * 4, width).T) for i in range(n)]


TARGETS = [word("TTTGACGTA", "target"), *noise(60)]


@pytest.mark.parametrize(
    "query, offset, overlap, orientation, target",
    [
        ("TTGACGT", 1, 7, "+", "TTTGACGTA"),
        ("CCTTTGACG", -2, 7, "+", "TTTGACGTA"),
        ("TACGTCA", 0, 7, "-", "TACGTCAAA"),
        ("TGACGTAGG", 2, 7, "+", "TTTGACGTA"),
    ],
)
def test_best_alignment_is_the_one_made(query, offset, overlap, orientation, target):
    hit = tomtom.compare([word(query)], TARGETS).iloc[0]
    assert hit["Query_ID"] == query and hit["Target_ID"] == "target"
    assert (hit["Optimal_offset"], hit["Overlap"]) == (offset, overlap)
    assert (hit["Orientation"], hit["Query_consensus"]) == (orientation, query)
    assert hit["Target_consensus"] == target
    assert hit["E-value"] == pytest.approx(hit["p-value"] * len(TARGETS))


def test_palindromes_are_forward():
    targets = [word("TGACGTCA"), *noise(60)]
    hit = tomtom.compare([word("GACGTC")], targets).iloc[0]
    assert (hit["Target_ID"], hit["Orientation"]) == ("TGACGTCA", "+")


def test_consensus_is_of_the_most_probable_bases():
    """Not IUPAC letters; the target's is read off the strand that matches."""
    query = Motif("q", word("TTGACGT").matrix * 0.8 + 0.05)
    either = Motif("t", np.array([[0.4, 0.35, 0.15, 0.1], *word("ACGTCAA").matrix.T]).T)
    hit = tomtom.compare([query], [either, *noise(60)], threshold=1).iloc[0]
    assert (hit["Target_ID"], hit["Orientation"]) == ("t", "-")
    assert (hit["Query_consensus"], hit["Target_consensus"]) == ("TTGACGT", "TTGACGTT")


def test_columns_are_those_of_meme():
    header = (
        "Query_ID Target_ID Optimal_offset p-value E-value q-value Overlap "
        "Query_consensus Target_consensus Orientation"
    )
    assert tomtom.compare([word("TGACGT")], TARGETS).columns.tolist() == header.split()
    assert tomtom.compare([], TARGETS).columns.tolist() == header.split()


def test_p_value_is_that_of_the_published_null():
    """The null of a query of two columns, from all columns of the targets, by enumeration.

    Scores are negative Euclidean distances less their median; a target of width w
    has w + 1 alignments a strand: one on the last query column alone, w - 1 on both,
    one on the first alone. All are taken as independent.
    """
    query, targets = word("GA", sure=0.9), noise(80, width=5, seed=3)
    columns = np.hstack([m.matrix for m in targets] + [m.matrix[::-1, ::-1] for m in targets])
    distance = -np.linalg.norm(query.matrix[:, :, None] - columns[:, None], axis=0)
    score = distance - np.median(distance, axis=1, keepdims=True)
    sums = np.sort((score[0][:, None] + score[1]).ravel())
    singles = np.sort(score, axis=1)

    def strand_best(matrix):
        own = -np.linalg.norm(query.matrix[:, :, None] - matrix[:, None], axis=0)
        own -= np.median(distance, axis=1, keepdims=True)
        return max((own[0, :-1] + own[1, 1:]).max(), own[0, -1], own[1, 0])

    def below(ranked, value):
        return np.searchsorted(ranked, value - 0.02) / ranked.size

    found = tomtom.best_p_values([query], targets)[0]
    for target, p in zip(targets, found, strict=True):
        best = max(strand_best(target.matrix), strand_best(target.matrix[::-1, ::-1]))
        none = below(singles[0], best) * below(singles[1], best) * below(sums, best) ** 4
        assert p == pytest.approx(1 - none**2, rel=0.12, abs=0.02)


def test_matches_come_by_query_and_then_by_p_value():
    queries = [word("TGACGT"), *noise(5, seed=1), word("TTTGAC")]
    table = tomtom.compare(queries, TARGETS, threshold=1)
    assert len(table) == len(queries) * len(TARGETS)
    assert table["Query_ID"].unique().tolist() == [m.name for m in queries]
    for _, rows in table.groupby("Query_ID"):
        assert rows["p-value"].is_monotonic_increasing
        assert rows["q-value"].max() <= 1


def test_threshold_is_on_the_q_value_and_threads_and_blocks_change_nothing(monkeypatch):
    queries = [word("TGACGT"), *noise(9, seed=1), word("TTTGAC")]
    everything = tomtom.compare(queries, TARGETS, threshold=1, n_threads=1)
    some = tomtom.compare(queries, TARGETS, threshold=0.3)
    kept = everything[everything["q-value"] <= 0.3].reset_index(drop=True)
    assert some.equals(kept) and 0 < len(some) < len(everything)
    monkeypatch.setattr(tomtom, "BLOCK", 2)
    assert tomtom.compare(queries, TARGETS, threshold=1, n_threads=2).equals(everything)


def test_few_targets_are_warned_of(caplog):
    with caplog.at_level(logging.WARNING):
        tomtom.compare([word("TGACGT")], TARGETS[:10])
    assert "only 10 targets" in caplog.text


def test_q_values_of_few_are_benjamini_hochberg_by_hand():
    p = np.array([[0.04, 0.001, 0.5, 0.03]])
    # ranks 3, 1, 4, 2; 0.03 * 4 / 2 = 0.06 is above 0.04 * 4 / 3
    expected = [[0.04 * 4 / 3, 0.004, 0.5, 0.04 * 4 / 3]]
    np.testing.assert_allclose(tomtom.q_values(p), expected)


def test_pi_zero_by_hand():
    few = np.linspace(0.01, 1, 100)[None]
    assert tomtom.pi_zero(few) == [1]
    # 150 tiny p-values and 50 of 0.9: above every cut-off c lies a quarter, so the estimate
    # 0.25 / (1 - c) is lowest at the first cut-off, 0.005, where its variance is lowest too
    p = np.array([[1e-6] * 150 + [0.9] * 50])
    assert tomtom.pi_zero(p) == pytest.approx([0.25 / 0.995])
    assert tomtom.q_values(p)[0, 0] == pytest.approx(0.25 / 0.995 * 1e-6 * 200 / 150)
    assert tomtom.pi_zero(np.full((1, 200), 1e-6)) == [1]  # no estimate


def test_pi_zero_chooses_as_the_bootstrap_does():
    rng = np.random.default_rng(1)
    p = np.sort(np.concatenate([rng.beta(0.3, 4, 300), rng.random(700)]))
    cuts = np.arange(1, 101) / 200
    estimates = (p >= cuts[:, None]).mean(axis=1) / (1 - cuts)
    draws = rng.choice(p, (4000, 1000))
    boot = np.stack([(draws >= c).mean(axis=1) / (1 - c) for c in cuts], axis=1)
    error = ((boot - estimates.min()) ** 2).mean(axis=0)
    assert tomtom.pi_zero(p[None])[0] == pytest.approx(estimates[error.argmin()], abs=0.02)


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=150))
def test_q_values_are_monotone_and_bounded(values):
    p = np.array([values])
    q = tomtom.q_values(p)[0]
    order = np.argsort(p[0], kind="stable")
    assert (np.diff(q[order]) >= 0).all()
    assert (q >= 0).all() and (q <= 1).all()
    if len(values) <= 100:
        assert (q >= p[0] - 1e-12).all()


def test_shuffling_keeps_the_columns_and_depends_on_seed_and_name():
    motifs = noise(4)
    once, again = tomtom.shuffle_columns(motifs, 1), tomtom.shuffle_columns(motifs[::-1], 1)
    assert all(np.array_equal(a.matrix, b.matrix) for a, b in zip(once, again[::-1], strict=True))
    for a, b in zip(motifs, once, strict=True):
        assert sorted(map(tuple, a.matrix.T)) == sorted(map(tuple, b.matrix.T))
        assert not np.array_equal(a.matrix, b.matrix)
    other = tomtom.shuffle_columns(motifs, 2)
    assert any(not np.array_equal(a.matrix, b.matrix) for a, b in zip(once, other, strict=True))


@pytest.mark.parametrize(
    "null, rate, expected",
    [
        ([0.4, 0.1, 0.3, 0.2], 0.5, 0.2),
        ([0.4, 0.1, 0.1, 0.2], 0.25, 0),  # letting 0.1 in would let two of four in
        ([0.4, 0.1, 0.3, 0.2], 1, 0.4),
        ([0.4, 0.1], 0.05, 0),
        ([], 0.05, 0),
    ],
)
def test_calibrated_threshold_by_hand(null, rate, expected):
    assert tomtom.calibrated_threshold(np.array(null, dtype=float), rate) == expected


def test_shuffled_matches_counts_at_both_thresholds():
    queries = [word("TTTGACGTA", f"q{i}") for i in range(5)] + noise(35, seed=9)
    table = tomtom.shuffled_matches(queries, TARGETS, threshold=0.1, rate=0.05, seed=1)
    assert table["motifs"].tolist() == [40, 40]
    assert table["matching"].min() >= 5
    assert table["share_shuffled_matching"][1] <= 0.05
    real = tomtom.best_q_values(queries, TARGETS)
    assert table["matching"][0] == (real <= 0.1).sum()


def test_few_motifs_are_shuffled_until_some_may_match():
    few = [word("TTTGACGTA", f"q{i}") for i in range(3)]
    table = tomtom.shuffled_matches(few, TARGETS, threshold=0.1, rate=0.1, seed=1)
    assert table["shuffled"].tolist() == [102, 102]  # 34 rounds of 3, to have 10 of 100
    assert table["threshold"][1] > 0 and table["matching"].tolist() == [3, 3]
    assert 0 < table["shuffled_matching"][1] <= 10
    assert table["share_shuffled_matching"][1] == table["shuffled_matching"][1] / 102


def test_many_motifs_are_shuffled_once():
    many = noise(210, width=4, seed=5)
    table = tomtom.shuffled_matches(many, TARGETS, seed=1)
    assert table["shuffled"].tolist() == [210, 210]


def test_motifs_that_shuffling_leaves_alone_match_no_more_with_a_warning(caplog):
    """All A is all A in any order: what it matches says nothing."""
    targets = [word("AAAAAAA", "polyA"), *noise(60)]
    queries = [word("AAAAAA", f"a{i}") for i in range(20)]
    with caplog.at_level(logging.WARNING):
        table = tomtom.shuffled_matches(queries, targets, threshold=0.5, seed=1)
    assert table["threshold"][1] == 0 and table["matching"].tolist() == [20, 0]
    assert "Raise `alignment.shuffled_rate`" in caplog.text
    all_may = tomtom.shuffled_matches(queries, targets, threshold=0.5, rate=1, seed=1)
    assert all_may["matching"].tolist() == [20, 20]


@pytest.mark.parametrize(
    "thresholds, called", [([0.05, 0.01], 1), ([0.01, 0.05], 1), ([0.05, 0.5], 2)]
)
def test_matches_are_called_at_the_stricter_threshold(thresholds, called):
    hits = pd.DataFrame({"Query_ID": ["a", "a", "b"], "q-value": [0.01, 0.02, 0.05]})
    calibration = pd.DataFrame({"threshold": thresholds})
    assert tomtom.called_matches(hits, calibration)["Query_ID"].nunique() == called
