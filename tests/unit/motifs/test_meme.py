import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cisgrammar.common.errors import InputError
from cisgrammar.motifs.meme import (
    Motif,
    consensus,
    information_content,
    most_probable,
    read_meme,
    reverse_complement,
    with_pseudocounts,
    write_meme,
)

HEAD = "MEME version 4\n\nALPHABET= ACGT\n\n"
MATRIX = "letter-probability matrix: alength= 4 w= 2 nsites= 7 E= 0\n"
ROWS = " 1 0 0 0\n 0.25 0.25 0.25 0.25\n"


def ppm(*columns):
    return np.array(columns, dtype=float).T


@st.composite
def matrices(draw):
    counts = draw(
        st.lists(
            st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any),
            min_size=1,
            max_size=12,
        )
    )
    counts = np.array(counts, dtype=float).T
    return counts / counts.sum(axis=0)


def write(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "column, bits", [([1, 0, 0, 0], 2), ([0.5, 0.5, 0, 0], 1), ([0.25] * 4, 0)]
)
def test_information_content_matches_hand_calculation(column, bits):
    assert information_content(ppm(column)) == pytest.approx([bits])


@pytest.mark.parametrize(
    "column, letter",
    [
        ([0.9, 0.1, 0, 0], "A"),
        ([0.5, 0.2, 0.2, 0.1], "A"),
        ([0.5, 0.25, 0.25, 0], "V"),
        ([0.5, 0.3, 0.1, 0.1], "M"),
        ([0.5, 0, 0.5, 0], "R"),
        ([1 / 3, 2 / 3, 0, 0], "M"),
        ([0, 0.4, 0, 0.6], "Y"),
        ([0.4, 0.3, 0.3, 0], "V"),
        ([0.4, 0.3, 0.2, 0.1], "V"),
        ([0.25] * 4, "N"),
    ],
)
def test_consensus_follows_the_half_of_the_maximum_rule(column, letter):
    assert consensus(ppm(column)) == letter


def test_most_probable_base_is_the_first_of_equals():
    columns = [0.1, 0.2, 0.3, 0.4], [0.1, 0.4, 0.4, 0.1], [0.25] * 4, [0, 0, 1, 0]
    assert most_probable(ppm(*columns)) == "TCAG"


@pytest.mark.parametrize(
    "n_sites, sure, none",
    [
        (1, 1.025 / 1.1, 0.025 / 1.1),
        (20, 20.025 / 20.1, 0.025 / 20.1),
        (0, 20.025 / 20.1, 0.025 / 20.1),  # none said: 20
        (7.9, 7.025 / 7.1, 0.025 / 7.1),  # MEME's sites are whole
    ],
)
def test_pseudocounts_are_those_of_meme(n_sites, sure, none):
    found = with_pseudocounts(Motif("m", ppm([0, 1, 0, 0]), n_sites))
    assert found[:, 0] == pytest.approx([none, sure, none, none])


@given(matrices())
def test_reverse_complement_twice_is_the_same_and_keeps_information(matrix):
    turned = reverse_complement(matrix)
    assert np.array_equal(reverse_complement(turned), matrix)
    assert information_content(turned)[::-1] == pytest.approx(information_content(matrix))


@settings(max_examples=30)
@given(st.lists(matrices(), max_size=4))
def test_what_is_written_is_read_back(tmp_path_factory, made):
    path = tmp_path_factory.mktemp("meme") / "motifs.meme"
    motifs = [Motif(f"0_{i}", m, n_sites=11 + i, alt=f"TF {i}") for i, m in enumerate(made)]
    write_meme(motifs, path)
    first = path.read_bytes()
    if not motifs:
        with pytest.raises(InputError, match="no motif"):
            read_meme(path)
        return
    again = read_meme(path)
    assert [(m.name, m.n_sites) for m in again] == [(m.name, m.n_sites) for m in motifs]
    assert again[0].alt == "TF_0"
    for a, b in zip(again, motifs, strict=True):
        np.testing.assert_allclose(a.matrix, b.matrix, atol=2e-6)
        assert a.matrix.sum(axis=0) == pytest.approx(1)
    write_meme(again, path)
    assert [line for line in path.read_bytes().split(b"\n") if line.startswith(b"MOTIF")] == [
        line for line in first.split(b"\n") if line.startswith(b"MOTIF")
    ]


def test_written_file_is_the_documented_text(tmp_path):
    path = tmp_path / "m.meme"
    write_meme([Motif("0_3", ppm([1, 0, 0, 0], [0, 0.5, 0.5, 0]), n_sites=12)], path)
    assert path.read_text() == (
        "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nBackground letter frequencies\n"
        "A 0.25000 C 0.25000 G 0.25000 T 0.25000\n\nMOTIF 0_3\n"
        "letter-probability matrix: alength= 4 w= 2 nsites= 12 E= 0\n"
        "1.000000 0.000000 0.000000 0.000000\n0.000000 0.500000 0.500000 0.000000\n"
    )


def test_another_program_reads_what_is_written(tmp_path):
    memelite_io = pytest.importorskip("memelite.io")
    path = tmp_path / "m.meme"
    matrix = ppm([1, 0, 0, 0], [0, 0.5, 0.5, 0], [0.1, 0.2, 0.3, 0.4])
    write_meme([Motif("0_3", matrix), Motif("0_4", matrix[:, :2])], path)
    read = memelite_io.read_meme(str(path))
    assert list(read) == ["0_3", "0_4"]
    np.testing.assert_allclose(read["0_3"], matrix)


def test_read_accepts_what_meme_itself_writes(tmp_path):
    text = (
        ("\ufeff" + HEAD + "MOTIF M1 (TF_A)_(x)\r\n\r\n" + MATRIX.replace("nsites= 7 E= 0", ""))
        + "0.333 0.333 0.333 0\n0.25\t0.25  0.25 0.25\n-----\nURL http://x\nMOTIF M2\n"
        + MATRIX
        + ROWS
    )
    motifs = read_meme(write(tmp_path / "m.meme", text))
    assert [(m.name, m.alt, m.n_sites, m.width) for m in motifs] == [
        ("M1", "(TF_A)_(x)", 20, 2),
        ("M2", "", 7, 2),
    ]
    assert motifs[0].matrix[:, 0] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


@pytest.mark.parametrize(
    "text, found",
    [
        ("", "the file is empty"),
        ("MOTIF a\n", "no `MEME version` line"),
        (HEAD, "no motif"),
        (HEAD.replace("ACGT", "ACDEFGHIKLMNPQRSTVWY"), "not DNA"),
        (HEAD + "MOTIF a\n" + MATRIX + " 1 0 0 0\n", r"line 6, motif a: .* w= 2 rows, 1 follow"),
        (HEAD + "MOTIF a\n" + MATRIX + " 1 0 0\n 1 0 0 0\n", "line 7 is not four numbers"),
        (HEAD + "MOTIF a\n" + MATRIX + " 1 0 x 0\n 1 0 0 0\n", "line 7 is not four numbers"),
        (HEAD + "MOTIF a\n" + MATRIX + " 1 0 0 0\n 3 4 0 0\n", r"line 8 sums to 7 \(3 4 0 0\)"),
        (HEAD + "MOTIF a\n" + MATRIX + " 1 0 0 0\n 2 -1 0 0\n", "line 8 sums to 1"),
        (HEAD + ("MOTIF a\n" + MATRIX + ROWS) * 2, "line 10, motif a: the name occurs twice"),
    ],
)
def test_malformed_files_are_explained(tmp_path, text, found):
    with pytest.raises(InputError, match=found) as caught:
        read_meme(write(tmp_path / "bad.meme", text))
    assert str(tmp_path / "bad.meme") in str(caught.value)


def test_all_problems_come_at_once(tmp_path):
    bad = MATRIX + " 1 1 0 0\n 1 0 0 0\n"
    with pytest.raises(InputError, match=r"(?s)2 problems.*motif a.*motif b"):
        read_meme(write(tmp_path / "bad.meme", HEAD + f"MOTIF a\n{bad}MOTIF b\n{bad}"))


def test_missing_and_broken_files_are_explained(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_meme(tmp_path / "none.meme")
    (tmp_path / "m.meme.gz").write_bytes(b"\x1f\x8b\x08\xff")
    with pytest.raises(InputError, match=r"damaged|cut short"):
        read_meme(tmp_path / "m.meme.gz")


@pytest.mark.parametrize(
    "name, matrix, found",
    [
        ("a b", ppm([1, 0, 0, 0]), "one word"),
        ("a", ppm([1, 1, 0, 0]), "sums to 2"),
        ("a", np.ones((3, 2)) / 3, r"\(4, width\)"),
        ("a", ppm([2, -1, 0, 0]), "negative"),
        ("a", ppm([np.nan, 1, 0, 0]), "not numbers"),
    ],
)
def test_motif_checks_itself(name, matrix, found):
    with pytest.raises(ValueError, match=found):
        Motif(name, matrix)


def test_same_name_twice_is_not_written(tmp_path):
    motif = Motif("a", ppm([1, 0, 0, 0]))
    with pytest.raises(ValueError, match="same name"):
        write_meme([motif, motif], tmp_path / "m.meme")
    assert list(tmp_path.iterdir()) == []
