import re
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
import yaml
from made_inputs import SHARED, YEAST, check_inputs, gtf_row, real, write, write_inputs
from scipy import sparse

from cisgrammar.common.errors import InputError
from cisgrammar.motifs.meme import Motif, write_meme

ROOT = Path(__file__).parents[3]


def rows(table):
    return table.set_index("check")


def change(arguments, edit):
    """Edit the counts in place."""
    adata = ad.read_h5ad(arguments["counts"])
    adata = edit(adata) or adata
    adata.write_h5ad(arguments["counts"])


def test_files_that_fit(tmp_path):
    table = check_inputs(**write_inputs(tmp_path))
    assert table.columns.tolist() == ["check", "found", "status", "note"]
    assert table.loc[table["status"] != "ok", "check"].tolist() == ["sequences"]  # few
    found = rows(table)["found"]
    assert found["counts"] == "h5ad: 20 cells x 12 genes"
    assert found["cell types"] == "2: a (10), b (10)"
    assert found["chromosomes"] == "1 of 1 are in the FASTA, with 12 genes"
    assert found["genes"] == "12 of 12 are in the annotation: 12 by gene_id"
    assert found["sequences"] == "12 promoters"


def truncate(arguments):
    path = arguments["counts"]
    path.write_bytes(path.read_bytes()[:-2000])


def scale(arguments, factor):
    def edit(adata):
        adata.X = adata.X * np.float32(factor)

    change(arguments, edit)


def rename_genes(arguments):
    def edit(adata):
        adata.var_names = [f"LOC{i}" for i in range(adata.n_vars)]

    change(arguments, edit)


def rewrite(key, text):
    return lambda arguments: write(arguments[key], text)


def spoil_letters(arguments):
    text = arguments["fasta"].read_text()
    place = len(">chr1\n") + 100 + 5  # six bases after the first TSS
    arguments["fasta"].write_text(text[:place] + "R" + text[place + 1 :])


BAD = {  # what is done to good input, changed arguments, what the message says
    "missing counts": (lambda a: a["counts"].unlink(), {}, ["counts.h5ad: no such file"]),
    "missing FASTA": (lambda a: a["fasta"].unlink(), {}, ["genome.fa: no such file"]),
    "missing GTF": (lambda a: a["annotation"].unlink(), {}, ["genes.gtf: no such file"]),
    "counts of the wrong format": (
        rewrite("counts", "a letter"), {}, ["counts.h5ad", "not an HDF5 file", "a letter", "fetch"],
    ),
    "FASTA of the wrong format": (
        rewrite("fasta", "ACGT\n"), {}, ["genome.fa: this is not a FASTA", "'ACGT'", "Name the"],
    ),
    "GTF of the wrong format": (
        rewrite("annotation", ">chr1\nACGT\n"), {}, ["genes.gtf: line 1", "1 tab", "Name a GTF"],
    ),
    "truncated h5ad": (truncate, {}, ["the file is cut short", "did not end", "again"]),
    "negative counts": (
        lambda a: scale(a, -1), {}, ["`X` holds negative", "scaled", "`counts.matrix`"],
    ),
    "logarithms": (
        lambda a: scale(a, 0.3), {}, ["log-normalised", "`counts.accept_non_integer: true`"],
    ),
    "no common chromosome": (
        lambda a: write(a["annotation"], a["annotation"].read_text().replace("chr1", "Z")), {},
        ["genes.gtf: of its 1 chromosomes (Z), 0 are in", "(chr1)", "species or assemblies"],
    ),
    "chromosomes named differently": (
        lambda a: write(a["annotation"], a["annotation"].read_text().replace("chr1", "1")),
        {"chromosomes": "as_is"},
        ["chromosomes (1), 0 are in", "(chr1)", "`genome.chromosomes: auto`"],
    ),
    "no common gene": (
        rename_genes, {},
        ["counts.h5ad: only 0 of 12 genes", "LOC0", "ids G0", "species or source", "genome.gtf"],
    ),
    "no label column": (
        lambda a: None, {"cell_type": "labels"},
        ["counts.h5ad: there is no column `labels`", "Did you mean `label`", "counts.cell_type"],
    ),
    "no batch column": (lambda a: None, {"batch": "donor"}, ["no column `donor`", "counts.batch"]),
    "q above the number of cells": (
        lambda a: None, {"cells_per_pool": 21},
        ["counts.h5ad: `pools.cells_per_pool` is 21", "only 20 cells", "below"],
    ),
    "an order of cell types that are not there": (
        lambda a: None, {"cell_type_order": ["b", "B cell"]},
        ["`cell_type_order` names 'B cell'", "There are a, b.", "Correct the name"],
    ),
    "more pools than cells": (lambda a: None, {"n_pools": 1000}, ["`pools.n_pools` is 1,000"]),
    "GTF without gene rows": (
        rewrite("annotation", gtf_row("exon", 1, 9, gene_id="G1")), {},
        ["genes.gtf: there are no gene rows", "1 exon", "UCSC", "`genome.tss_rule: most_5_prime`"],
    ),
    "empty FASTA": (rewrite("fasta", ""), {}, ["genome.fa: the file is empty", "fetch it again"]),
    "FASTA without sequence": (rewrite("fasta", ">chr1\n"), {}, ["1 names and no sequence"]),
    "letters other than ACGTN": (
        spoil_letters, {}, ["genome.fa: the letter 'R' at chr1:106", "ambiguity code", "as N"],
    ),
    "all N": (
        rewrite("fasta", f">chr1\n{'N' * 1400}\n"), {}, ["all of 12", "N", "soft-masked"],
    ),
    "windows too large": (lambda a: None, {"upstream": 5000}, ["none has a promoter window"]),
    "unknown biotype": (lambda a: None, {"biotypes": ["protein_coding"]}, ["no biotype (12)"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_each_bad_input_gets_one_paragraph(tmp_path, kind):
    spoil, changes, words = BAD[kind]
    arguments = write_inputs(tmp_path, **changes)
    spoil(arguments)
    with pytest.raises(InputError) as error:
        check_inputs(**arguments)
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_text_for_numbers_is_refused(tmp_path):
    table = write(tmp_path / "counts.tsv", "gene\tc0\tc1\nG0\t1\tmany\n")
    with pytest.raises(InputError, match=r"counts\.tsv: line 2 .*'many'.*take out columns"):
        check_inputs(**write_inputs(tmp_path) | {"counts": table})


def test_all_problems_at_once(tmp_path):
    arguments = write_inputs(tmp_path, cell_type="labels", n_pools=1000)
    scale(arguments, -1)
    arguments["fasta"].unlink()
    write(arguments["annotation"], "")
    with pytest.raises(InputError) as error:
        check_inputs(**arguments)
    message = str(error.value)
    assert message.startswith("5 problems:")
    for word in ("negative", "`labels`", "n_pools", "no such file", "0 bytes"):
        assert word in message


def test_labels_from_a_table_of_cells(tmp_path):
    lines = "".join(f"c{i},{'xy'[i % 2]}\n" for i in range(20))
    cells = write(tmp_path / "cells.csv", "cell,kind\n" + lines)
    arguments = write_inputs(tmp_path, cell_table=cells, cell_type="kind")
    assert rows(check_inputs(**arguments)).loc["cell types", "found"] == "2: x (10), y (10)"
    write(cells, "cell,kind\nz,x\n")
    with pytest.raises(InputError, match="only 0 of the 20 cells") as error:
        check_inputs(**arguments)
    assert "problems" not in str(error.value)


def test_warnings_say_what_will_happen(tmp_path):
    arguments = write_inputs(tmp_path, batch="label", cells_per_pool=11, accept_non_integer=True)
    scale(arguments, 0.5)
    renamed = arguments["annotation"].read_text().replace("chr1", "1")
    write(arguments["annotation"], renamed + gtf_row("gene", 5, 9, chrom="Un", gene_id="X"))
    table = rows(check_inputs(**arguments))
    warned = table.index[table["status"] == "warning"].tolist()
    assert warned == ["values", "cell types", "batches", "pools", "chromosomes", "sequences"]
    assert "a (10), b (10)" in table.loc["cell types", "note"]
    assert "one batch only" in table.loc["batches", "note"]
    assert table.loc["chromosomes", "note"] == "1 renamed by rule: 1 -> chr1; not in the FASTA: Un"


def test_genes_of_haplotypes_that_the_genome_lacks_take_no_names_away(tmp_path):
    arguments = write_inputs(tmp_path)
    text = re.sub(
        r'gene_id "G(\d+)"',
        r'gene_id "ENSG\1"; gene_name "G\1"',
        arguments["annotation"].read_text(),
    )
    copies = re.sub(r"ENSG(\d+)", r"ENSG9\1", text.replace("chr1\t", "chr1_hap\t"))
    twice = gtf_row("gene", 700, 740, gene_id="ENSG77", gene_name="G3")
    write(arguments["annotation"], copies + text + twice)
    table = rows(check_inputs(**arguments, min_overlap=0.4))
    assert table.loc["genes", "found"] == "11 of 12 are in the annotation: 11 by gene_name"
    assert table.loc["genes", "note"] == "name of several genes of the annotation: 1 (G3)"
    assert table.loc["sequences", "found"] == "11 promoters"


def test_poor_overlap_is_allowed_when_asked_for(tmp_path):
    arguments = write_inputs(tmp_path)
    text = arguments["annotation"].read_text().splitlines(keepends=True)
    write(arguments["annotation"], "".join(text[:4]))
    with pytest.raises(InputError, match="only 4 of 12 genes"):
        check_inputs(**arguments)
    table = rows(check_inputs(**arguments, min_overlap=0.3))
    assert table.loc["genes", "status"] == "warning"
    assert table.loc["sequences", "found"] == "4 promoters"


def test_messages_name_keys_that_exist():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    folders = ("common", "checks", "counts", "genome")
    modules = [path for name in folders for path in (ROOT / "src/cisgrammar" / name).glob("*.py")]
    for module in modules:
        for section, key in re.findall(r"[`\"](\w+)\.(\w+)(?=[`\":])", module.read_text()):
            if section in schema["properties"]:
                assert key in schema["properties"][section]["properties"], (module, section, key)


@pytest.mark.parametrize(
    "annotation, n_genes, n_promoters",
    [
        ("sacCer3.tss_adjusted.systematic.gtf.gz", "6,338 of 6,789", "6,332 promoters"),
        ("Saccharomyces_cerevisiae.R64-1-1.96.gtf.gz", "6,600 of 6,789", "6,592 promoters"),
    ],
)
def test_yeast(tmp_path, annotation, n_genes, n_promoters):
    arguments = {
        "counts": real(YEAST / "gasch2017.h5ad"),
        "fasta": real(YEAST / "sacCer3.fa.gz"),
        "annotation": real(YEAST / annotation),
        "work": tmp_path,
        "cell_type": "condition",
        "accept_non_integer": True,
        "upstream": 600,
        "downstream": 100,
        "cells_per_pool": 12,
        "n_pools": 40,
    }
    table = rows(check_inputs(**arguments))
    assert table.loc["genes", "found"].startswith(n_genes)
    assert table.loc["sequences", "found"] == n_promoters
    renamed = "17 renamed by rule" in table.loc["chromosomes", "note"]
    assert renamed == annotation.startswith("Saccharomyces")


@pytest.mark.parametrize(("n_pools", "status"), [(6, "ok"), (13, "warning")])
def test_pools_that_share_most_cells_are_warned_of(tmp_path, n_pools, status):
    arguments = write_inputs(tmp_path) | {"n_pools": n_pools, "cells_per_pool": 5}  # of 20 cells
    pools = rows(check_inputs(**arguments)).loc["pools"]
    assert pools["status"] == status
    assert ("far from independent" in pools["note"]) == (status == "warning")


def test_human_counts_on_yeast_genes(tmp_path):
    arguments = write_inputs(tmp_path, counts=real(SHARED / "pbmc68k/pbmc68k_counts.h5ad"))
    with pytest.raises(InputError, match="only 0 of 765 genes"):
        check_inputs(**arguments | {"cell_type": "bulk_labels"})


def peak_counts(arguments, names=None):
    """Turn the genes of the counts into peaks 60 bases wide, one each 100 bases."""

    def edit(adata):
        adata.var_names = names or [f"1:{100 * i + 20}-{100 * i + 80}" for i in range(adata.n_vars)]

    change(arguments, edit)


SETTINGS = {"matrix": "X", "length": 30, "distal": None}


def test_peaks_alone(tmp_path):
    arguments = write_inputs(tmp_path, modality="atac", peaks=SETTINGS, annotation=None)
    peak_counts(arguments)
    table = rows(check_inputs(**arguments))
    assert table.loc["counts of peaks", "found"] == "h5ad: 20 cells x 12 peaks"
    assert table.loc["sequences", "found"] == "12 windows"
    peak_counts(arguments, [f"G{i}" for i in range(12)])
    with pytest.raises(InputError, match=r"12 of 12 names are not peaks \(G0"):
        check_inputs(**arguments)


OF_CELLS = {
    "correct_batches": False,
    "start": "components",
    "batch_size": 9,
    "trained": 0.8,
    "motifs": [],
    "mutated": None,
}


def test_each_cells_peaks_need_no_pools(tmp_path):
    arguments = write_inputs(tmp_path, modality="atac", peaks=SETTINGS, annotation=None)
    peak_counts(arguments)
    table = rows(check_inputs(**arguments | {"n_pools": None, "scbasset": OF_CELLS}))
    assert "pools" not in table.index and "labels" not in table.index
    assert table.loc["cell types", "note"] == ""


@pytest.mark.parametrize("start, text", [("components", "components of"), ("random", "chance")])
def test_what_cells_start_from_is_explained(tmp_path, start, text):
    arguments = write_inputs(tmp_path, modality="atac", peaks=SETTINGS, annotation=None)
    peak_counts(arguments)
    table = rows(check_inputs(**arguments, scbasset=OF_CELLS | {"start": start}))
    row = table.loc["start of cells (scbasset)"]
    assert row["found"].startswith(text) and row["status"] == "ok"
    assert "`scbasset.training.start`" in row["note"]


@pytest.mark.parametrize("clusters", [True, False])
def test_cells_without_types_are_warned_of(tmp_path, clusters):
    arguments = write_inputs(tmp_path, modality="atac", peaks=SETTINGS, annotation=None)
    peak_counts(arguments)
    changes = {"cell_type": None, "clusters": clusters, "scbasset": OF_CELLS}
    table = rows(check_inputs(**arguments | changes))
    assert ("labels" in table.index) != clusters
    if not clusters:
        assert table.loc["labels", "status"] == "warning"


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"batch_size": 10}, "scbasset: 9 peaks to train on are fewer than one batch of 10"),
        ({"correct_batches": True}, r"all 20 cells are of one batch \(all\)"),
    ],
)
def test_what_scbasset_lacks_is_said_before_anything_runs(tmp_path, changes, message):
    arguments = write_inputs(tmp_path, modality="atac", peaks=SETTINGS, annotation=None)
    peak_counts(arguments)
    with pytest.raises(InputError, match=message) as error:
        check_inputs(**arguments, scbasset=OF_CELLS | changes)
    assert "problems" not in str(error.value)


def test_closed_peaks_are_sought_by_the_key_of_peaks(tmp_path):
    arguments = write_inputs(tmp_path)
    own = {**arguments, "counts": tmp_path / "atac.h5ad"}
    closed = ad.read_h5ad(arguments["counts"])
    closed.X = sparse.csr_matrix(closed.shape)
    closed.write_h5ad(own["counts"])
    peak_counts(own)
    with pytest.raises(InputError, match=r"holds no value but 0.* with `peaks\.matrix`"):
        check_inputs(**arguments, peaks=SETTINGS, peak_counts=own["counts"])


def test_what_is_needed_after_training_is_checked_before(tmp_path):
    arguments = write_inputs(tmp_path, modality="atac", peaks=SETTINGS, annotation=None)
    peak_counts(arguments)
    jaspar = {"source": "jaspar:CORE:vertebrates:2024", "tf_names": None}
    settings = OF_CELLS | {"motifs": ["GATA1", "GATA11"], "mutated": tmp_path / "mutated.bed"}
    write(settings["mutated"], "1\t30\t20\n")
    with pytest.raises(InputError) as error:
        check_inputs(**arguments, scbasset=settings, database=jaspar)
    said = str(error.value)
    assert said.startswith("2 problems:")
    assert "line 1 is not a BED line" in said and "TF GATA11." in said
    write(settings["mutated"], "1\t20\t30\n")
    table = rows(check_inputs(**arguments, scbasset=settings | {"motifs": []}, database=jaspar))
    assert table.loc["known motifs", "found"].endswith(jaspar["source"])
    with pytest.raises(InputError, match="no profiles of collection CORE for 'vertebrate'"):
        check_inputs(**arguments, database=jaspar | {"source": "jaspar:CORE:vertebrate:2024"})


def test_distal_peaks_of_cells_with_rna(tmp_path):
    arguments = write_inputs(tmp_path)
    own = {**arguments, "counts": tmp_path / "atac.h5ad"}
    ad.read_h5ad(arguments["counts"])[4:].copy().write_h5ad(own["counts"])
    peak_counts(own)
    settings = SETTINGS | {"distal": {"upstream": 40, "downstream": 10}}
    table = rows(check_inputs(**arguments, peaks=settings, peak_counts=own["counts"]))
    assert table.loc["counts", "found"] == "h5ad: 20 cells x 12 genes"
    assert table.loc["counts of peaks", "found"] == "h5ad: 16 cells x 12 peaks"
    assert table.loc["shared cells", "found"] == "16 of 20 with RNA have peaks"
    assert "near a TSS" in table.loc["sequences", "note"]
    adata = ad.read_h5ad(own["counts"])
    adata.obs_names = [f"{name}-1" for name in adata.obs_names]
    adata.write_h5ad(own["counts"])
    with pytest.raises(InputError, match=r"only 0 cells have both.*ignore_in_barcodes: '-"):
        check_inputs(**arguments, peaks=settings, peak_counts=own["counts"])


def test_several_files_and_chosen_cells(tmp_path):
    arguments = write_inputs(tmp_path, batches=["x", "y"], drop={"label": ["b"]})
    arguments["counts"] = [arguments["counts"]] * 2
    table = rows(check_inputs(**arguments))
    assert table.loc["counts of y", "found"] == "h5ad: 20 cells x 12 genes"
    assert table.loc["chosen cells", "found"] == "20 of 40 cells are left"
    assert table.loc["batches", "found"] == "2: x (10), y (10)"
    assert table.loc["cell types", "found"] == "1: a (20)"
    with pytest.raises(InputError, match=r"`pools\.n_pools` is 21"):
        check_inputs(**arguments | {"n_pools": 21})


@pytest.mark.parametrize("size, told", [(19, True), (20, False), (None, False)])
def test_a_map_of_some_cells_is_told(tmp_path, size, told):
    table = rows(check_inputs(**write_inputs(tmp_path, umap_cells=size)))
    assert ("map of cells" in table.index) == told
    if told:
        assert table.loc["map of cells", "found"] == "made of 19 of 20 cells"
        assert "`cells.umap_cells`" in table.loc["map of cells", "note"]


def test_windows_of_ones_own_need_no_annotation(tmp_path):
    arguments = write_inputs(tmp_path, annotation=None)
    lines = "".join(f"1\t{100 * i}\t{100 * i + 30}\tG{i}\n" for i in range(10))
    table = rows(check_inputs(**arguments, regions=write(tmp_path / "w.bed", lines)))
    assert table.loc["sequences", "found"] == "10 windows"
    assert "not in the BED: 2" in table.loc["sequences", "note"]


FOLDS = {"n_folds": 3, "validation": 0.2, "by": "random"}


def test_folds_that_are_possible_are_told(tmp_path):
    table = rows(check_inputs(**write_inputs(tmp_path), folds=FOLDS))
    said = "3 folds; the first: of these sequences at most 6 train, 2 validate, 4 test"
    assert table.loc["folds", "found"] == said
    named = {**FOLDS, "n_folds": 1, "test_chromosomes": ["chr1"], "validation_chromosomes": None}
    with pytest.raises(InputError, match=r"leave only 0 of 12 sequences"):
        check_inputs(**write_inputs(tmp_path), folds=named)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"n_folds": 13}, r"13 folds.*there are only 12 sequences"),
        ({"by": "chromosome"}, r"only 1 chromosomes"),
        ({"n_folds": 1, "test_chromosomes": ["1"]}, r"no sequence is on 1 .*on chr1"),
    ],
)
def test_folds_that_are_not_possible_stop_before_anything_runs(tmp_path, changes, words):
    with pytest.raises(InputError, match=words):
        check_inputs(**write_inputs(tmp_path), folds=FOLDS | changes)


def test_clusters_to_be_found_are_no_unlabelled_cells(tmp_path):
    table = check_inputs(**write_inputs(tmp_path, clusters=True, cell_type=None))
    found = table.set_index("check").loc["cell types", "found"]
    assert found == "clusters of the cells, to be found"


def test_a_batch_with_fewer_cells_than_neighbours_is_told_before_a_run(tmp_path):
    arguments = write_inputs(tmp_path, batch="run", neighbors_within_batch=3)
    counts = ad.read_h5ad(arguments["counts"])
    counts.obs["run"] = ["rare", *["common"] * (counts.n_obs - 1)]
    counts.write_h5ad(arguments["counts"])
    with pytest.raises(InputError, match="batch 'rare' has 1 cells, fewer than"):
        check_inputs(**arguments)


@pytest.mark.parametrize(
    "names, status", [(["SP1", "GATA1", "KLF4"], "warning"), ([], "warning"), (None, "ok")]
)
def test_transcription_factors_of_the_database_are_counted(tmp_path, names, status):
    """Those of another species are hardly among the genes."""
    database = {"source": "jaspar:CORE:vertebrates:2024", "tf_names": None}
    if names is None:
        source = tmp_path / "motifs.meme"
        write_meme([Motif("a", np.full((4, 5), 0.25), alt="G1")], source)
        database["source"] = str(source)
    arguments = write_inputs(tmp_path)
    text = arguments["annotation"].read_text()
    for i, name in enumerate(names or []):
        text = text.replace(f'gene_id "G{i}"', f'gene_id "G{i}"; gene_name "{name}"')
    arguments["annotation"].write_text(text)
    table = check_inputs(**arguments, database=database).set_index("check")
    found, note = table.loc["transcription factors", ["found", "note"]]
    assert found.startswith("1 of 1" if names is None else f"{len(names)} of ")
    assert table.loc["transcription factors", "status"] == status
    assert ("another species" in note) == (status == "warning")


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda name: f"GRCh38_{name}", "barnyard"),
        (lambda name: f"mm10___{name}", "barnyard"),
        (lambda name: f"x_{name}".replace("_", "-"), "as Seurat does it"),
    ],
)
def test_names_that_programs_changed_are_recognised(tmp_path, change, words):
    arguments = write_inputs(tmp_path)
    counts = ad.read_h5ad(arguments["counts"])
    if "Seurat" in words:
        text = arguments["annotation"].read_text().replace('gene_id "', 'gene_id "x_')
        arguments["annotation"].write_text(text)
    counts.var_names = [change(name) for name in counts.var_names]
    counts.write_h5ad(arguments["counts"])
    with pytest.raises(InputError, match=words):
        check_inputs(**arguments)


def test_a_transposed_matrix_is_recognised(tmp_path):
    arguments = write_inputs(tmp_path, cell_type=None)
    counts = ad.read_h5ad(arguments["counts"])
    del counts.obs["label"]
    counts.T.write_h5ad(arguments["counts"])
    with pytest.raises(InputError, match="the matrix is transposed"):
        check_inputs(**arguments)


def test_a_cell_type_called_na_is_pointed_out(tmp_path):
    arguments = write_inputs(tmp_path)
    lines = [f"c{i},{'NA' if i % 2 else 'T cell'}" for i in range(20)]
    table = write(tmp_path / "cells.csv", "\n".join(["cell,kind", *lines]))
    row = rows(check_inputs(**arguments | {"cell_table": table, "cell_type": "kind"}))
    assert row.loc["cell types", "found"] == "2: NA (10), T cell (10)"
    assert "NA is a label here" in row.loc["cell types", "note"]
