import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_inputs import SHARED, real

from cisgrammar.genome.sequence import decode, encode
from cisgrammar.motifs import fimo
from cisgrammar.motifs.meme import Motif, read_meme, write_meme


def perfect(consensus: str, name: str = "m", n_sites: float = 1000) -> Motif:
    return Motif(name, np.eye(4)[encode(consensus)].T, n_sites)


def random_motifs(rng, n, widths):
    return [Motif(f"m{i}", rng.dirichlet([0.3] * 4, rng.choice(widths)).T, 100.0) for i in range(n)]


def with_pseudocounts(motif: Motif) -> np.ndarray:
    return (motif.matrix * motif.n_sites + 0.025) / (motif.n_sites + 0.1)


def bits(motif: Motif, window: str) -> float:
    """Log odds in floating point, to compare with the integers."""
    matrix = with_pseudocounts(motif)
    return float(np.log2(matrix[encode(window), np.arange(len(window))] * 4).sum())


def test_p_values_are_shares_of_all_windows():
    motif = random_motifs(np.random.default_rng(0), 1, [5])[0]
    integer = fimo.integer_motif(motif, 0.01)
    sums = np.array(
        [integer.scores[list(w), range(5)].sum() for w in itertools.product(range(4), repeat=5)]
    )
    expected = [(sums >= s).mean() for s in range(len(integer.tail))]
    assert integer.tail == pytest.approx(expected, abs=1e-12)
    assert (sums >= integer.threshold).mean() <= 0.01 < (sums >= integer.threshold - 1).mean()


@pytest.mark.parametrize(
    "sequence, strand, start",
    [
        ("TTTTACGTTAGCTTTT", "+", 5),
        ("TTTTGCTAACGTTTTT", "-", 5),
        ("ACGTTAGCTTTTTTTT", "+", 1),
        ("TTTTTTTTACGTTAGC", "+", 9),
    ],
)
def test_a_planted_word_is_found_where_it_is(sequence, strand, start):
    motif = perfect("ACGTTAGC")
    found = fimo.hits(encode(sequence)[None], ["s"], [motif])
    assert found[["start", "stop", "strand"]].to_numpy().tolist() == [[start, start + 7, strand]]
    assert found["matched_sequence"].tolist() == ["ACGTTAGC"]
    assert found["p-value"].tolist() == pytest.approx([4.0**-8])
    assert found["q-value"].tolist() == pytest.approx([4.0**-8 * 18])  # 9 windows, two strands
    scores = fimo.scan(encode(sequence)[None], [motif]).toarray()
    assert scores == pytest.approx(bits(motif, "ACGTTAGC"), abs=0.05)


def test_one_strand_only_when_asked():
    codes = encode("TTTTGCTAACGTTTTT")[None]
    assert fimo.scan(codes, [perfect("ACGTTAGC")], both_strands=False).nnz == 0


@pytest.mark.parametrize("consensus, n_hits", [("ACGTTA", 0), ("ACGTTAG", 1)])
def test_a_motif_too_short_for_the_p_value_has_no_hits(consensus, n_hits):
    """4^-6 is above 1e-4, 4^-7 below."""
    codes = encode("CCCC" + consensus + "CCCC")[None]
    assert fimo.scan(codes, [perfect(consensus)]).nnz == n_hits


def test_no_hit_covers_an_n_nor_reads_past_the_end():
    poly_a = perfect("AAAAAAAA")
    sequences = ["AAAANAAANAAANAAA", "CCCCCCCCCAAAAAAA", "NNNNNNNNNNNNNNNN"]
    assert fimo.scan(np.stack([encode(s) for s in sequences]), [poly_a]).nnz == 0


def test_a_motif_longer_than_the_sequences_has_no_hits():
    assert fimo.scan(encode("ACGT")[None], [perfect("ACGTACGTAC")]).nnz == 0


@pytest.mark.parametrize("width", range(4, 21))
def test_the_scan_finds_what_a_plain_loop_finds(width):
    rng = np.random.default_rng(width)
    motif = random_motifs(rng, 1, [width])[0]
    codes = rng.choice(5, (20, 60), p=[0.24, 0.24, 0.24, 0.24, 0.04]).astype(np.uint8)
    integer = fimo.integer_motif(motif, 0.01)
    windows = np.lib.stride_tricks.sliding_window_view(codes, width, axis=1)
    with_n = np.vstack([integer.scores, np.full(width, -(10**9))])
    strands = [with_n, np.vstack([integer.scores[::-1, ::-1], with_n[4]])]
    sums = np.stack([matrix[windows, np.arange(width)].sum(axis=-1) for matrix in strands])
    best = sums.max(axis=(0, 2))
    expected = np.where(best >= integer.threshold, best / integer.scale + width * integer.offset, 0)
    scores = fimo.scan(codes, [motif], threshold=0.01)
    assert scores.toarray()[:, 0] == pytest.approx(expected, rel=1e-6)
    table = fimo.hits(codes, range(20), [motif], threshold=0.01)
    assert len(table) == (sums >= integer.threshold).sum()
    assert (table["p-value"] <= 0.01).all()


def test_blocks_do_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(3)
    motifs = random_motifs(rng, 10, [6, 8, 13])
    codes = rng.integers(0, 4, (50, 100), dtype=np.uint8)
    whole, table = fimo.scan(codes, motifs), fimo.hits(codes, range(50), motifs)
    monkeypatch.setattr(fimo, "BLOCK_POSITIONS", 700)
    assert (fimo.scan(codes, motifs) != whole).nnz == 0
    pd.testing.assert_frame_equal(fimo.hits(codes, range(50), motifs), table)


def test_hits_come_by_motif_and_p_value_with_monotonic_q_values():
    rng = np.random.default_rng(4)
    motifs = random_motifs(rng, 5, [8])
    table = fimo.hits(rng.integers(0, 4, (100, 200), dtype=np.uint8), range(100), motifs)
    assert table["motif_id"].is_monotonic_increasing
    for _, rows in table.groupby("motif_id"):
        assert rows["p-value"].is_monotonic_increasing
        assert rows["q-value"].is_monotonic_increasing
        assert (rows["q-value"] >= rows["p-value"]).all()


def test_threads_do_not_change_a_byte():
    code = (
        "import numpy as np; from cisgrammar.motifs import fimo; from cisgrammar.motifs.meme "
        "import Motif; rng = np.random.default_rng(0); motifs = [Motif(str(i), "
        "rng.dirichlet([.3] * 4, 8).T) for i in range(20)]; import hashlib; "
        "x = fimo.scan(rng.integers(0, 4, (50, 200), dtype=np.uint8), motifs); "
        "print(hashlib.sha256(x.data.tobytes() + x.indices.tobytes()).hexdigest(), x.nnz)"
    )
    outputs = set()
    for threads in "12":
        environment = {
            **os.environ,
            "NUMBA_NUM_THREADS": threads,
            "PYTHONPATH": str(Path(fimo.__file__).parents[2]),
        }
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1


def oracle(motifs, codes, path):
    """Hits of the MEME Suite's own FIMO: (motif, sequence, first base, strand).

    Its reader takes pseudocounts from another background than the one given for
    the scores, so the motifs go in with ours already added.
    """
    common = pytest.importorskip("pymemesuite.common")
    scanner = pytest.importorskip("pymemesuite.fimo").FIMO(both_strands=True, threshold=1e-4)
    background = common.Background(common.Alphabet.dna(), common.Array([0.25] * 4))
    write_meme([replace(motif, matrix=with_pseudocounts(motif)) for motif in motifs], path)
    # Its loop leaves out the last window of a sequence: one more base brings it back.
    sequences = [
        common.Sequence(decode(row) + "N", name=str(i).encode()) for i, row in enumerate(codes)
    ]
    found = set()
    with common.MotifFile(str(path), pseudocount=0) as file:
        for motif in file:
            for hit in scanner.score_motif(motif, sequences, background).matched_elements:
                name, where = motif.accession.decode(), hit.source.accession.decode()
                found.add((name, int(where), min(hit.start, hit.stop), hit.strand))
    return found


@pytest.mark.parametrize("source", ["random", "cisbp"])
def test_the_same_hits_as_the_meme_suite(source, tmp_path):
    rng = np.random.default_rng(5)
    if source == "random":
        motifs = random_motifs(rng, 100, range(6, 19))
    else:
        motifs = read_meme(real(SHARED / "motifs" / "cisbp_1.02_homo_sapiens.meme"))[:100]
    codes = rng.integers(0, 4, (100, 500), dtype=np.uint8)
    table = fimo.hits(codes, range(100), motifs)
    columns = ["motif_id", "sequence_name", "start", "strand"]
    ours = set(table[columns].itertuples(index=False, name=None))
    theirs = oracle(motifs, codes, tmp_path / "motifs.meme")
    assert len(theirs) > 500
    assert len(ours & theirs) / len(ours | theirs) >= 0.998
