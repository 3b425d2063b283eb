"""TF-MoDISco finds words that contribute, whichever strand, and says where they are."""

import numpy as np
import pandas as pd
import pytest

from cisgrammar.common.errors import InputError
from cisgrammar.genome.sequence import decode, encode, reverse_complement
from cisgrammar.interpret.contributions import Attributions
from cisgrammar.interpret.patterns import describe_patterns, find_patterns, place_seqlets

UP, DOWN, LENGTH, N = "GATTACAGC", "TTGCGCAT", 400, 120


def planted():
    """Put a word that raises into each sequence, on either strand, and one that lowers."""
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, (N, LENGTH)).astype(np.uint8)
    scores = rng.normal(0, 0.01, (N, 4, LENGTH)).astype(np.float32)
    rows = []
    for i in range(N):
        for word, start, sign in ((UP, 50 + i % 90, 1), (DOWN, 250 + i % 90, -1)):
            letters = encode(word) if i % 2 else reverse_complement(encode(word))
            codes[i, start : start + len(word)] = letters
            scores[i, letters, start + np.arange(len(word))] += sign * rng.uniform(0.8, 1.2)
            rows.append((i, start, start + len(word), "+" if i % 2 else "-", sign))
    return codes, scores, pd.DataFrame(rows, columns=["row", "start", "end", "strand", "sign"])


@pytest.fixture(scope="module")
def found():
    codes, scores, sites = planted()
    return codes, find_patterns(codes, scores, "01_A_"), sites


def test_both_words_are_found_with_their_signs(found):
    _, patterns, _ = found
    assert [pattern.motif.name for pattern in patterns] == ["01_A_pos0", "01_A_neg0"]
    for pattern, word in zip(patterns, (UP, DOWN), strict=True):
        spelled = decode(pattern.motif.matrix.argmax(axis=0).astype(np.uint8))
        turned = decode(reverse_complement(encode(spelled)))
        assert word in (spelled, turned)
        assert pattern.motif.matrix.max(axis=0).min() > 0.95
    assert [pattern.sign for pattern in patterns] == ["+", "-"]


def test_seqlets_lie_on_the_words_and_along_their_strand(found):
    codes, patterns, sites = found
    for pattern, sign in zip(patterns, (1, -1), strict=True):
        its = pattern.seqlets
        assert len(its) >= 20  # TF-MoDISco's own threshold keeps the strongest of the 120
        places = sites[sites["sign"] == sign].set_index("row").loc[its["row"]]
        assert (np.abs(its["start"].to_numpy() - places["start"].to_numpy()) <= 1).all()
        assert (np.sign(its["contribution"]) == sign).all()
        for row in its.head(20).itertuples():
            word = codes[row.row, row.start : row.end]
            word = word if row.strand == "+" else reverse_complement(word)
            np.testing.assert_array_equal(word, pattern.motif.matrix.argmax(axis=0))


def test_seqlets_are_placed_on_the_genomes_plus_strand(found):
    codes, patterns, _ = found
    windows = pd.DataFrame(
        {"chrom": "chr1", "start": 1000 * np.arange(N), "strand": ["+", "-"] * (N // 2)},
        [f"G{i}" for i in range(N)],
    )
    of = Attributions(windows, codes, np.zeros((N, 4, LENGTH)), codes[:0], "ism", "A", None)
    placed = place_seqlets(patterns[:1], of)
    for its, row in zip(
        placed.head(30).itertuples(), patterns[0].seqlets.itertuples(), strict=False
    ):
        at = its.start - 1000 * row.row
        window = reverse_complement(codes[row.row]) if row.row % 2 else codes[row.row]
        word = window[at : at + its.end - its.start]
        word = word if its.strand == "+" else reverse_complement(word)
        np.testing.assert_array_equal(word, patterns[0].motif.matrix.argmax(axis=0))
    table = describe_patterns(patterns, of)
    assert table["sign"].tolist() == ["+", "-"] and (table["label"] == "A").all()
    assert table["contribution"][0] == pytest.approx(len(UP), rel=0.1)


def test_where_nothing_contributes_nothing_is_found(caplog):
    codes = np.zeros((5, 50), np.uint8)
    assert find_patterns(codes, np.zeros((5, 4, 50))) == []
    assert find_patterns(codes, np.full((5, 4, 50), np.nan)) == []
    assert find_patterns(codes, np.ones((5, 4, 50))) == []
    assert "all stretches have one sign" in caplog.text


def test_short_sequences_are_refused():
    with pytest.raises(InputError, match="40 bases are too short"):
        find_patterns(np.zeros((5, 40), np.uint8), np.zeros((5, 4, 40)))
