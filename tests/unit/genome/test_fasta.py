import re
import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_inputs import YEAST, real, write

from cisgrammar.common.errors import InputError
from cisgrammar.genome.fasta import chrom_sizes, match_chromosomes, open_fasta, plain_fasta


@pytest.mark.parametrize(
    "name, genome, found",
    [
        ("chr1", ["chr1", "1"], "chr1"),
        ("1", ["chr1"], "chr1"),
        ("chr1", ["1"], "1"),
        ("IV", ["chrIV"], "chrIV"),
        ("MT", ["chrM"], "chrM"),
        ("Mito", ["chrM"], "chrM"),
        ("chrmt", ["MT"], "MT"),
        ("MtDNA", ["chrM"], "chrM"),
        ("2L", ["chr2L"], "chr2L"),
        ("chrUn_GL000220v1", ["GL000220.1"], "GL000220.1"),
        ("KI270706.1", ["chr1_KI270706v1_random"], "chr1_KI270706v1_random"),
        ("1", ["chr10", "chr11"], None),
        ("1", ["chr1", "Chr1"], None),  # which of them?
        ("NC_000001.11", ["chr1"], None),
    ],
)
def test_match_chromosomes(name, genome, found):
    assert match_chromosomes([name], genome).get(name) == found
    assert match_chromosomes([name], genome, "as_is").get(name) == (
        found if name in genome else None
    )


@given(st.lists(st.text("chrXM1_v.", max_size=6), unique=True))
def test_equal_names_always_match_themselves(names):
    assert match_chromosomes(names, names) == {name: name for name in names}


def test_aliases_come_after_equal_names(tmp_path):
    aliases = write(
        tmp_path / "aliases.tsv",
        "#genbank\tucsc\tensembl\nCM1.1\tchr1\t\n2\tchr2\tCM2.1\nchr3\tchr4\tCM9.1\n\n",
    )
    names = ["CM1.1", "CM2.1", "2", "chr1", "MT", "chr4", "CM9.1"]
    found = match_chromosomes(names, ["chr1", "chr2", "chr3", "chr4", "chrM"], str(aliases))
    assert found == {
        "CM1.1": "chr1", "CM2.1": "chr2", "2": "chr2", "chr1": "chr1", "MT": "chrM", "chr4": "chr4"
    }  # fmt: skip


@pytest.mark.parametrize("text, words", [("chr1 1\n", "line 1 has one name"), ("", "empty")])
def test_bad_aliases_are_named(tmp_path, text, words):
    aliases = write(tmp_path / "aliases.tsv", text)
    with pytest.raises(InputError, match=words):
        match_chromosomes(["1"], ["chr1"], aliases)
    with pytest.raises(InputError, match=r"genome\.chromosomes"):
        match_chromosomes(["1"], ["chr1"], "ucsc")


def two_bit(name, sequence):
    """Pack one sequence as UCSC's format says; N are blocks, the rest two bits a base."""
    blocks = [m.span() for m in re.finditer("N+", sequence)]
    bases = sequence.upper().replace("N", "T").ljust(-(-len(sequence) // 4) * 4, "T")
    codes = ["TCAG".index(base) for base in bases]
    packed = bytes(
        a << 6 | b << 4 | c << 2 | d
        for a, b, c, d in zip(codes[::4], codes[1::4], codes[2::4], codes[3::4], strict=True)
    )
    starts = [start for start, _ in blocks]
    sizes = [end - start for start, end in blocks]
    index = struct.pack("<IIIIB", 0x1A412743, 0, 1, 0, len(name)) + name.encode()
    head = struct.pack(
        f"<II{2 * len(blocks)}III", len(sequence), len(blocks), *starts, *sizes, 0, 0
    )
    return index + struct.pack("<I", len(index) + 4) + head + packed


@pytest.mark.parametrize("sequence", ["ACGT", "A", "NNACGTNNA", "ACGTTGCA" * 40 + "NN"])
def test_2bit(tmp_path, monkeypatch, sequence):
    monkeypatch.setattr("cisgrammar.genome.fasta._PIECE", 120)
    path = write(tmp_path / "g.2bit", two_bit("chr1", sequence))
    assert chrom_sizes(path, tmp_path / "work") == {"chr1": len(sequence)}
    with open_fasta(path, tmp_path / "work") as genome:
        assert genome["chr1"][:] == sequence


@pytest.mark.parametrize("n_bytes", [5, 16, 22, 30, 45])
def test_damaged_2bit_is_named(tmp_path, n_bytes):
    path = write(tmp_path / "g.2bit", two_bit("chr1", "ACGT" * 20)[:n_bytes])
    with pytest.raises(InputError, match="2bit file is cut short or damaged"):
        chrom_sizes(path, tmp_path / "work")
    assert not list(tmp_path.glob("work/*"))


@pytest.mark.parametrize("name", ["g.fa", "g.fa.gz"])
def test_sizes_and_letters(tmp_path, name):
    fasta = write(tmp_path / "data" / name, ">chr1 the first\nACGT\nAC\n>chr2\nNNNacgt\n")
    (tmp_path / "data").chmod(0o555)  # the user's folder stays as it is
    assert chrom_sizes(fasta, tmp_path / "work") == {"chr1": 6, "chr2": 7}
    with open_fasta(fasta, tmp_path / "work") as genome:
        assert genome["chr2"][2:5] == "Nac"
    assert [p.name for p in (tmp_path / "data").iterdir()] == [name]


def test_a_copy_is_made_once_and_again_when_the_source_changes(tmp_path):
    fasta = write(tmp_path / "g.fa.gz", ">a\nACGT\n")
    first = plain_fasta(fasta, tmp_path / "work")
    assert plain_fasta(fasta, tmp_path / "work") == first
    write(fasta, ">a\nACGTACGT\n")
    assert chrom_sizes(fasta, tmp_path / "work") == {"a": 8}
    assert chrom_sizes(fasta, tmp_path / "work") == {"a": 8}


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "empty"),
        ("\n\n", "blank lines"),
        (">chr1\n", "FASTA file"),
        (">chr1\n>chr2\n", "FASTA file"),
        ("ACGT\n", "starts with 'ACGT'"),
        ("chr1\tx\tgene\t1\t2\n", "not with '>'"),
        (">a\nACGT\nAC\nACGT\n", "equally long"),
        (">a\nACGT\n>a\nACGT\n", "no name may come twice"),
        (">\nACGT\n", "cannot be indexed"),
        (b">a\nAC\xff\xfeGT\n", "line 2 .* byte 0xff"),
        (">a\nACGT\nACGTACGTAC\n>b\nAC\n", "last line of a is longer"),
        (">b\nACGT\nACGTACGTAC\n", "last line of b is longer"),
        (">a\n\n\n>b\nAC\n", "cannot be indexed"),
    ],
)
@pytest.mark.parametrize("suffix", ["fa", "fa.gz"])
def test_bad_fasta_is_named_and_leaves_nothing(tmp_path, text, words, suffix):
    fasta = write(tmp_path / f"g.{suffix}", text)
    with pytest.raises(InputError, match=words) as error:
        chrom_sizes(fasta, tmp_path / "work")
    assert str(fasta) in str(error.value)
    assert not list(tmp_path.glob("work/*.fai"))


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(">;ACGTN \t\n\r|xé\0", max_size=40))
def test_no_text_ends_in_a_traceback(tmp_path, text):
    fasta = tmp_path / "fuzz.fa"
    fasta.write_bytes(text.encode())
    try:
        sizes = chrom_sizes(fasta, tmp_path / "work")
    except InputError:
        return
    assert sum(sizes.values()) > 0


def test_yeast_genome(tmp_path):
    sizes = chrom_sizes(real(YEAST / "sacCer3.fa.gz"), tmp_path)
    assert len(sizes) == 17 and sum(sizes.values()) == 12_157_105


def test_thirty_thousand_scaffolds_with_aliases_are_matched_at_once(tmp_path):
    numbers = range(30_000)
    path = write(tmp_path / "aliases.tsv", "".join(f"NW_{i}.1\tscaffold{i}\n" for i in numbers))
    start = time.monotonic()
    found = match_chromosomes(
        [f"NW_{i}.1" for i in numbers], [f"scaffold{i}" for i in numbers], str(path)
    )
    assert found == {f"NW_{i}.1": f"scaffold{i}" for i in numbers}
    assert time.monotonic() - start < 5
