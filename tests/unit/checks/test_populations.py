"""What `snakemake check` tells of populations."""

from pathlib import Path

from made_inputs import check_inputs, populations, with_transcripts, write, write_inputs

from cisgrammar.checks.config import complete_config
from cisgrammar.checks.settings import Settings, WindowSettings
from cisgrammar.common.config import read_schema

SCHEMA = read_schema(Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml")


def checked(folder, cell_table=None, **changes):
    table = cell_table and write(folder / "cells.tsv", cell_table)
    arguments = write_inputs(folder, n_pools=None, cell_table=table)
    annotation = arguments["annotation"]
    write(annotation, with_transcripts(annotation.read_text()))
    return check_inputs(**arguments, populations=populations(**changes)).set_index("check")


def test_populations_are_counted_and_small_ones_named(tmp_path):
    labels = "cell\tkind\n" + "".join(f"c{i}\t{'ab'[i > 15]}\n" for i in range(20))
    table = checked(tmp_path, labels, min_cells=15, levels=["all_cells", "kind"])
    assert table.loc["populations", "found"] == "2: all_cells/all (20), kind/a (16)"
    assert table.loc["populations", "note"] == "left out: kind/b (4)"
    assert table.loc["populations", "status"] == "warning"


def test_genes_and_features_that_are_not_known_are_told(tmp_path):
    half_life = write(tmp_path / "half_life.tsv", "gene\tminutes\nG1\t3\nG2\t4\n")
    table = checked(tmp_path, table={"path": half_life, "columns": None, "log": True})
    assert table.loc["genes of populations", "found"] == "12"
    assert table.loc["gene features", "found"] == ("utr5_length, cds_length, utr3_length, minutes")
    assert "minutes of 10 genes" in table.loc["gene features", "note"]


def test_bulk_expression_that_lacks_genes_is_a_warning(tmp_path):
    bulk = write(tmp_path / "bulk.tsv", "gene\tlung\nG1\t3\nG2\t4\n")
    table = checked(tmp_path, bulk={"path": bulk, "samples": None})
    assert table.loc["bulk expression", "found"] == "bulk: 2 of 12 genes"
    assert table.loc["bulk expression", "status"] == "warning"


def test_windows_and_folds_are_those_of_populations_where_no_model_learns_pools():
    text = {"name": "x", "counts": {"cell_type": "label"}, "populations": {"upstream": 300}}
    config = complete_config(text, SCHEMA)
    counts = {k: v for k, v in config["counts"].items() if k not in ("path", "cell_table")}
    genome = {k: v for k, v in config["genome"].items() if k not in ("fasta", "gtf")}
    config |= {"counts": counts, "genome": genome}
    assert Settings.of_config(config).windows == WindowSettings(500, 500)
    settings = Settings.of_config(config | {"models": []})
    assert settings.windows == WindowSettings(300, 3500)
    assert settings.folds["by"] == "chromosome"
