"""Labels and names are the text they are, from the counts to the last figure."""

from __future__ import annotations

import copy
import re

import anndata as ad
import pandas as pd
import pytest

from cisgrammar.common.files import TEXT, read_matrix, read_table

TYPES = ["NA", "nan", "None", "01", "1.10", "1.1"]
BATCHES = ["NA", "01", "1.0", "no"]


@pytest.fixture(scope="module")
def labelled(finished, run_class, tiny_config, tmp_path_factory):
    """Give a whole run whose types, batches, cells and genes look like numbers or nothing."""
    run = run_class(tmp_path_factory.mktemp("labels"))
    made = finished.results / "simulation"
    counts = ad.read_h5ad(made / "counts.h5ad")
    # cells of one type stay together: two names for each
    old = counts.obs["cell_type"].astype(str).map({"A": 0, "B": 2, "C": 4}).to_numpy()
    odd = [i % 2 for i in range(counts.n_obs)]
    counts.obs = pd.DataFrame(
        {
            "kind": [TYPES[place + half] for place, half in zip(old, odd, strict=True)],
            "run": [BATCHES[i // 2 % 4] for i in range(counts.n_obs)],
        },
        index=[f"{i:04d}" for i in range(counts.n_obs - 2)] + ["NA", "1e5"],
    )
    numbers = {name: f"{i:05d}" for i, name in enumerate(counts.var_names)}
    counts.var = pd.DataFrame(index=list(numbers.values()))
    counts.write_h5ad(run.folder / "cells.h5ad")
    text = (made / "annotation.gtf").read_text()
    text = re.sub(r'gene_id "([^"]*)"', lambda found: f'gene_id "{numbers[found[1]]}"', text)
    (run.folder / "genes.gtf").write_text(text)
    config = {k: v for k, v in copy.deepcopy(tiny_config).items() if k != "simulation"}
    config["counts"] = {"path": "cells.h5ad", "cell_type": "kind", "batch": "run"}
    config["genome"] = {"fasta": str(made / "genome.fa"), "gtf": "genes.gtf"}
    config["cells"] |= {"drop": {"kind": ["1.1"]}}
    config["annotations"] = {"pseudotime": {"root": "NA"}}
    config["motif_families"] = {"categories": {"like numbers": ["01", "1.10"], "NA": ["NA", "nan"]}}
    config["sweep"] = {"cells_per_pool": [5]}
    run.configure(config)
    run.snakemake("--cores", "2")
    return run


def test_every_label_is_there_in_every_table(labelled):
    for path in labelled.results.rglob("*by_cell_type*.tsv"):
        assert read_matrix(path).columns.tolist() == sorted(TYPES[:-1]), path
    members = read_table(labelled.results / "cells_in_pools.tsv")
    assert set(members["cell_type"]) <= set(TYPES[:-1])
    assert members["cell"].str.fullmatch(r"\d{4}|NA|1e5").all()
    stability = read_table(labelled.results / "scover/family_stability.tsv")
    assert set(stability["cell_type"]) <= set(TYPES[:-1])
    dataset = ad.read_h5ad(labelled.results / "dataset.h5ad")
    assert dataset.var_names.str.fullmatch(r"\d{5}").all()
    assert set(dataset.obs["batch"]) <= set(BATCHES)


def test_every_label_is_in_the_legend(labelled):
    drawn = (labelled.results / "figures/umap_cells.svg").read_text()
    for label in TYPES[:-1]:
        assert re.search(rf">\s*{re.escape(label)}\s*<", drawn), label


def test_every_column_of_words_is_known_to_hold_words(labelled):
    """What is not declared as text is read with guessed types."""
    undeclared = set()
    for path in labelled.results.rglob("*.tsv"):
        table = pd.read_csv(path, sep="\t", keep_default_na=False, na_values=["NA"])
        words = [c for c in table if table[c].dtype == object and len(table)]
        undeclared |= {(path.name, column) for column in words if column not in TEXT}
    # numbers, a word in place of one, and parts of folds
    words = {column for _, column in undeclared if not re.fullmatch(r"fold\d*|found", column)}
    assert words == set(), undeclared
