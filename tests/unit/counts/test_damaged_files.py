"""Sound files, damaged at random: an error in words, or every row accounted for."""

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_inputs import gtf_row, write

from cisgrammar.common.errors import InputError
from cisgrammar.data.given import read_given, read_sequences
from cisgrammar.downloads.sources import COLUMNS, read_sources
from cisgrammar.genome.fasta import open_fasta
from cisgrammar.genome.regions import read_bed
from cisgrammar.genome.tss import TSS_RULES, read_tss
from cisgrammar.interpret.gene_sets import read_gmt
from cisgrammar.motifs.meme import Motif, read_meme, write_meme

GENES = "".join(
    gtf_row("gene", 10 * i + 1, 10 * i + 8, "+-"[i % 2], gene_id=f"G{i}", gene_biotype="x")
    + gtf_row("transcript", 10 * i + 2, 10 * i + 8, gene_id=f"G{i}", transcript_id=f"T{i}")
    for i in range(4)
)
GFF3 = "##gff-version 3\n" + "".join(
    f"chr1\tx\tgene\t{10 * i + 1}\t{10 * i + 8}\t.\t+\t.\tID=gene:G{i};Name=N{i};biotype=x\n"
    for i in range(4)
)
REGIONS = "".join(f"chr{i}\t{i}\t{i + 9}\ts{i}\t0\t+\n" for i in range(1, 5))
GENOME = ">chr1 first\nACGTN\nacgtn\nAC\n>chr2\nTTTTT\nTTT\n>chr3\nGGGGG\n"
SEQUENCES = "".join(f">s{i}\nACGTACGT\nNN\n" for i in range(1, 5))
SETS = "".join(f"set {i}\thttp\tg{i}\tg{i + 1}\tg{i + 2}\n" for i in range(4))
SOURCES = "\t".join(COLUMNS) + "\n" + "".join(
    f"a\tf{i}\t1\thttps://x/y\t{'0' * 64}\t12\tCC0\tme\tnote\n" for i in range(4)
)  # fmt: skip

PIECES = ["", "\t", "\n", "\r", " ", "0", "9", "-1", ">", "#", ";", "=", '"', ".", "gene", "chr1",
          "track", "N", "x", "é", "\0", "\x1c", "\x85", "nan", "1e9", "MOTIF", ">s1\n"]  # fmt: skip
DAMAGE = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(0, 12), st.sampled_from(PIECES)),
    min_size=1,
    max_size=4,
)
MANY = settings(max_examples=300, deadline=None)


def damaged(text, damage):
    """Replace pieces of a text, each of some length at some place."""
    for start, length, piece in damage:
        start %= len(text) + 1
        text = text[:start] + piece + text[start + length :]
    return text


def read(reader, text, *arguments):
    """Read a text from a file; None where it is refused in words."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "file", text.encode("utf-8"))
        try:
            return reader(path, *arguments)
        except InputError as error:
            assert "file" in str(error)
            return None


def lines_of(text):
    """Give the lines of a text as files have them, less blank lines."""
    return [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]


@MANY
@given(st.sampled_from([GENES, GFF3]), DAMAGE, st.sampled_from(TSS_RULES))
def test_genes_are_read_or_counted(text, damage, rule):
    text = damaged(text, damage)
    tss = read(lambda path: read_tss(path, tss_rule=rule), text)
    if tss is None:
        return
    rows = lines_of(text.partition("\n##FASTA")[0])
    genes = [row for row in rows if row[0] != "#" and row.split("\t")[2] in ("gene", "ncRNA_gene")]
    steps = dict(tss.attrs["steps"])
    came = steps.pop("genes in the annotation")
    assert came == len(genes) or not genes
    assert came == len(tss) + sum(steps.values())


@MANY
@given(DAMAGE)
def test_regions_are_read_or_refused(damage):
    text = damaged(REGIONS, damage)
    bed = read(read_bed, text)
    if bed is not None:
        rows = [r for r in lines_of(text) if r[0] != "#" and not re.match(r"(track|browser)\b", r)]
        assert len(bed) == len(rows)


@MANY
@given(DAMAGE)
def test_letters_of_a_genome_are_all_there_or_it_is_refused(damage):
    text = damaged(GENOME, damage)

    def sequences(path):
        with open_fasta(path, path.parent / "work") as fasta:
            return {record.name: str(record[:]) for record in fasta}

    found = read(sequences, text)
    if found is not None:
        lines = [line.strip() for line in text.split("\n")]
        names = [line for line in lines if line.startswith(">")]
        assert len(found) == len(names)
        letters = "".join(line for line in lines if not line.startswith(">"))
        assert sorted("".join("".join(found.values()).split())) == sorted("".join(letters.split()))


@MANY
@given(DAMAGE)
def test_sequences_are_all_there_or_refused(damage):
    text = damaged(SEQUENCES, damage)
    found = read(read_sequences, text)
    if found is not None:
        names, codes = found
        assert len(names) == len(set(names)) == len(codes)
        assert len(names) == sum(line.strip()[0] == ">" for line in lines_of(text))
        assert codes.max() <= 4


@pytest.fixture(scope="module")
def motifs(tmp_path_factory):
    path = tmp_path_factory.mktemp("motifs") / "m.meme"
    rng = np.random.default_rng(1)
    write_meme([Motif(f"m{i}", rng.dirichlet(np.ones(4), 3).T) for i in range(3)], path)
    return path.read_text()


@MANY
@given(DAMAGE, st.booleans())
def test_motifs_are_all_there_and_whole_or_refused(motifs, damage, with_width):
    text = damaged(motifs if with_width else motifs.replace("w= 3 ", ""), damage)
    found = read(read_meme, text)
    if found is not None:
        lines = lines_of(text)
        assert len(found) == sum(bool(re.match(r"\s*MOTIF\b", line)) for line in lines)
        rows = sum(bool(re.match(r"\s*[\d.+-]", line)) for line in lines)
        assert sum(motif.width for motif in found) == rows


@MANY
@given(DAMAGE)
def test_gene_sets_are_all_there_or_refused(damage):
    text = damaged(SETS, damage)
    found = read(read_gmt, text)
    if found is not None:
        assert len(found) == len(lines_of(text))


@MANY
@given(DAMAGE)
def test_sources_are_all_there_or_refused(damage):
    text = damaged(SOURCES, damage)
    found = read(read_sources, text)
    if found is not None:
        assert len(found) == sum(line[0] != "#" for line in lines_of(text)) - 1


TABLE = "id\tliver\tbrain\n" + "".join(f"s{i}\t{i}\t{i / 2}\n" for i in range(1, 5))


@MANY
@given(st.sampled_from(["table", "regions"]), DAMAGE)
def test_targets_and_places_are_those_of_the_files(which, damage):
    texts = {"table": TABLE, "regions": REGIONS}
    texts[which] = damaged(texts[which], damage)

    def together(path):
        fasta = write(path.parent / "s.fa", SEQUENCES)
        other = write(path.parent / "other", texts["regions" if which == "table" else "table"])
        files = (path, other) if which == "table" else (other, path)
        return read_given(fasta, *files)

    found = read(together, texts[which])
    if found is None:
        return
    assert found.n_vars == 4 and np.isfinite(found.X).all()
    if which == "table":
        assert len(lines_of(texts["table"])) == 5
    else:
        named = [line.split("\t")[3] for line in lines_of(texts["regions"]) if line.count("\t") > 2]
        assert len(named) == len(set(named)), "a place was taken from one of two rows"
