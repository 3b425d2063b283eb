"""Names beyond ASCII come through every reader of text, in UTF-8 and in Latin-1."""

import gzip
import logging

import numpy as np
import pytest
from made_counts import annotated, write_10x_mtx, write_h5ad
from made_inputs import gtf_row, write

from cisgrammar.cells.embedding import fitting_cells
from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import open_text
from cisgrammar.counts import read_counts
from cisgrammar.data.gene_tables import read_numbers
from cisgrammar.data.given import read_given
from cisgrammar.genome.fasta import read_aliases
from cisgrammar.genome.regions import read_bed
from cisgrammar.genome.tss import read_tss
from cisgrammar.interpret.gene_sets import read_gmt
from cisgrammar.motifs.clusters import read_clusters
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.meme import Motif, read_meme, write_meme

NAMES = ("Müller glia", "γδ T")
WRITTEN = [("utf-8", NAMES), ("utf-8-sig", NAMES), ("latin-1", ("Müller glia", "Brüder"))]
FASTA = ">s1\nACGT\n>s2\nACGG\n"


def read_cell_table(folder, end, a, b, encode):
    table = write(folder / f"cells.csv{end}", encode(f"cell,kind\nc0,{a}\nc1,{b}\nc2,{a}\nc3,\n"))
    path = write_h5ad(folder / "cells.h5ad", annotated())
    obs = read_counts(path, cell_table=table, cell_column="cell", cell_type="kind").obs
    return obs["cell_type"].tolist()[:2]


def read_count_table(folder, end, a, b, encode):
    table = write(folder / f"counts.tsv{end}", encode(f"{a}\tc1\n{b}\t1\t2\ng\t3\t4\n"))
    adata = read_counts(table)
    return [adata.obs_names[0], adata.var_names[0]]


def read_10x(folder, end, a, b, encode):
    run = write_10x_mtx(folder / "run")
    for old, name in zip(("features", "barcodes"), (b, a), strict=True):
        found = next(run.glob(f"{old}.tsv*"))
        data = found.read_bytes()
        lines = (gzip.decompress(data) if found.suffix == ".gz" else data).decode().split("\n")
        found.unlink()
        lines[0] = "\t".join([name, *lines[0].split("\t")[1:]])
        write(run / f"{old}.tsv{end}", encode("\n".join(lines)))
    adata = read_counts(run)
    return [adata.obs_names[0], adata.var_names[0]]


def read_targets(folder, end, a, b, encode):
    table = write(folder / f"targets.tsv{end}", encode(f"id\t{a}\t{b}\ns1\t5\t6\ns2\t1\t2\n"))
    return read_given(write(folder / "sequences.fa", FASTA), table).obs_names.tolist()


def read_labels(folder, end, a, b, encode):
    table = write(folder / "targets.tsv", "id\tx\ty\ns1\t5\t6\ns2\t1\t2\n")
    labels = write(folder / f"labels.tsv{end}", encode(f"target\tkind\nx\t{a}\ny\t{b}\n"))
    fasta = write(folder / "sequences.fa", FASTA)
    return read_given(fasta, table, labels=labels, cell_type="kind").obs["cell_type"].tolist()


def read_sequences(folder, end, a, b, encode):
    a, b = a.split()[0], b.split()[0]
    table = write(folder / "targets.tsv", f"id\tx\ty\n{a}\t5\t6\n{b}\t1\t2\n")
    fasta = write(folder / f"sequences.fa{end}", encode(f">{a}\nACGT\n>{b}\nACGG\n"))
    return read_given(fasta, table).var_names.tolist()


def read_places(folder, end, a, b, encode):
    table = write(folder / "targets.tsv", "id\tx\ty\ns1\t5\t6\ns2\t1\t2\n")
    bed = write(folder / f"places.bed{end}", encode(f"{a}\t1\t5\ts1\n{b}\t1\t5\ts2\n"))
    return read_given(write(folder / "sequences.fa", FASTA), table, bed).var["chrom"].tolist()


def read_regions(folder, end, a, b, encode):
    bed = write(folder / f"regions.bed{end}", encode(f"{a}\t1\t5\t{b}\n"))
    return read_bed(bed).loc[0, ["chrom", "name"]].tolist()


def read_genes(folder, end, a, b, encode):
    text = gtf_row("gene", 1, 5, chrom=a, gene_id="G1", gene_name=b)
    tss = read_tss(write(folder / f"genes.gtf{end}", encode(text)))
    return tss.loc[0, ["chrom", "gene_name"]].tolist()


def read_names(folder, end, a, b, encode):
    return read_aliases(write(folder / f"aliases.tsv{end}", encode(f"{a}\t{b}\n")))[0]


def read_motifs(folder, end, a, b, encode):
    a, row = a.split()[0], "0.25 0.25 0.25 0.25\n"
    text = f"MEME version 4\n\nMOTIF {a} {b}\nletter-probability matrix: w= 1\n{row}"
    motif = read_meme(write(folder / f"motifs.meme{end}", encode(text)))[0]
    return [motif.name, motif.alt]


def read_factors(folder, end, a, b, encode):
    motifs = folder / "motifs.meme"
    write_meme([Motif(name, np.full((4, 1), 0.25)) for name in ("M1", "M2")], motifs)
    names = write(folder / f"names.tsv{end}", encode(f"M1\t{a}\nM2\t{b}\n"))
    return load_database(str(motifs), names).table["tfs"].tolist()


def read_motif_clusters(folder, end, a, b, encode):
    rows = f"motif\tcluster\tcluster_name\ttfs\nM1\t1\t{a}\t{b}\n"
    table = read_clusters(write(folder / f"clusters.tsv{end}", encode(rows)))
    return table.loc[0, ["cluster_name", "tfs"]].tolist()


def read_gene_sets(folder, end, a, b, encode):
    ((name, genes),) = read_gmt(
        write(folder / f"sets.gmt{end}", encode(f"{a}\thttp\t{b}\n"))
    ).items()
    return [name, *genes]


def read_gene_table(folder, end, a, b, encode):
    table = write(folder / f"genes.tsv{end}", encode(f"gene\t{a}\n{b}\t1\n"))
    frame = read_numbers(table, "populations.table")
    return [frame.columns[0], frame.index[0]]


READERS = [
    read_cell_table, read_count_table, read_10x, read_targets, read_labels, read_sequences,
    read_places, read_regions, read_genes, read_names, read_motifs, read_factors,
    read_motif_clusters, read_gene_sets, read_gene_table,
]  # fmt: skip
ONE_WORD = (read_sequences, read_motifs)  # names that end at a blank


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("encoding, names", WRITTEN)
def test_every_reader_takes_names_as_they_were_written(tmp_path, read, end, encoding, names):
    if read in ONE_WORD:
        names = tuple(name.split()[0] for name in names)
    got = read(tmp_path, end, *names, lambda text: text.encode(encoding))
    assert tuple(got) == names


@pytest.mark.parametrize("encoding, notes", [("utf-8", 0), ("utf-8-sig", 0), ("latin-1", 1)])
def test_a_note_names_the_file_that_is_not_utf_8(tmp_path, caplog, encoding, notes):
    path = write(tmp_path / "a.txt", "x\n" * (1 << 20) + "Müller glia\n")
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    with caplog.at_level(logging.WARNING), open_text(path, "x") as stream:
        assert stream.readlines()[-1] == "Müller glia\n"
    assert len(caplog.messages) == notes
    assert all(str(path) in said and "Latin-1" in said for said in caplog.messages)


def test_a_letter_may_lie_across_two_blocks(tmp_path, caplog):
    path = write(tmp_path / "a.txt", "x" * ((1 << 20) - 1) + "γ" * 10)
    with open_text(path, "x") as stream:
        assert stream.read().endswith("xγγγγγγγγγγ")
    assert not caplog.messages


def test_utf_16_is_named(tmp_path):
    """What spreadsheets call Unicode text."""
    path = write(tmp_path / "a.txt", "cell\tkind\n".encode("utf-16"))
    with pytest.raises(InputError, match=r"a\.txt: .*UTF-16.*UTF-8"), open_text(path, "x"):
        pass


def test_cells_of_a_type_beyond_ascii_can_be_dropped(tmp_path):
    """From the field: `cells.drop: {kind: [γδ T]}`, and the table in UTF-8."""
    path = write_h5ad(tmp_path / "cells.h5ad", annotated())
    rows = "cell,kind\nc0,Müller glia\nc1,γδ T\nc2,CD4+ T/NK\nc3,γδ T\n"
    obs = read_counts(path, cell_table=write(tmp_path / "cells.csv", rows), cell_type="kind").obs
    assert obs["cell_type"].tolist() == ["Müller glia", "γδ T", "CD4+ T/NK", "γδ T"]
    assert fitting_cells(obs, {}, {"kind": ["γδ T"]}).tolist() == [True, False, True, False]
