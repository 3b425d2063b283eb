"""What the part from filters to biology does with bad input, and the optional sweep."""

import copy

import pandas as pd
import pytest

GENE_SETS = "results/tiny/scover/figures/gene_set_heatmap.svg"


def with_keys(config, **sections):
    changed = copy.deepcopy(config)
    for section, keys in sections.items():
        changed.setdefault(section, {}).update(keys)
    return changed


def test_what_cannot_be_compared_is_noted_and_the_rest_goes_on(finished_copy, tiny_config):
    """A GMT of another identifier space, unknown markers, annotations that no pool has."""
    gmt = finished_copy.folder / "sets.gmt"
    gmt.write_text("a\tx\tENSMUSG01\tENSMUSG02\nb\tx\tENSMUSG03\n")
    finished_copy.configure(
        with_keys(
            tiny_config,
            gene_sets={"gmt": str(gmt), "markers": {"none": ["NOWHERE"], "one": ["SP1"]}},
            annotations={"columns": ["age"], "pseudotime": {"root": "nowhere"}},
        )
    )
    finished_copy.snakemake("--cores", "1", GENE_SETS)
    folder = finished_copy.results / "scover"
    notes = pd.read_csv(folder / "notes.tsv", sep="\t")
    assert notes["about"].tolist() == ["gene sets", "markers", "annotations", "annotations"]
    for note, found in zip(
        notes["note"], ["0 of its 3 genes", "NOWHERE", "nowhere", "'age'"], strict=True
    ):
        assert found in note
    assert pd.read_csv(folder / "gene_sets.tsv", sep="\t").empty
    assert pd.read_csv(folder / "markers.tsv", sep="\t")["gene"].tolist() == ["SP1", "mean"]
    words = " ".join((finished_copy.folder / GENE_SETS).read_text().split())
    assert "ENSMUSG01" in words


@pytest.mark.parametrize(
    "rows, found",
    [
        ([[0.9, 0.9, 0, 0], [1, 0, 0, 0]], "sums to 1.8"),
        ([[0.7, 0.1, 0.1, 0.1]] * 6, "no transcription factor|names no|tf_names"),
    ],
    ids=["rows that do not sum to one", "no names of TFs"],
)
def test_a_bad_database_stops_with_the_reason(finished_copy, tiny_config, rows, found):
    meme = finished_copy.folder / "known.meme"
    lines = ["MEME version 4", "", "ALPHABET= ACGT", "", "MOTIF M1", ""]
    lines += [f"letter-probability matrix: alength= 4 w= {len(rows)}"]
    lines += [" ".join(map(str, row)) for row in rows]
    meme.write_text("\n".join(lines) + "\n")
    finished_copy.configure(with_keys(tiny_config, database={"source": str(meme)}))
    target = "results/tiny/motif_clusters.tsv"
    said = finished_copy.snakemake("--cores", "1", target, fails=True)
    log = (finished_copy.folder / "logs/cluster_database/tiny.log").read_text()
    assert "known.meme" in said + log
    assert any(word in said + log for word in found.split("|"))


def test_nothing_aligned_goes_on(finished_copy, tiny_config):
    """Filters that match nothing are grouped among themselves; figures say what is missing."""
    finished_copy.configure(with_keys(tiny_config, alignment={"threshold": 1e-12}))
    finished_copy.snakemake("--cores", "2")
    folder = finished_copy.results / "scover"
    families = pd.read_csv(folder / "families.tsv", sep="\t")
    assert (families["status"] == "no match").all()
    assert {"consensus", "gc", "cpg"} <= set(families)
    summary = pd.read_csv(folder / "regulators_summary.tsv", sep="\t")
    assert (summary["note"] == "no known TF").all()
    truth = pd.read_csv(folder / "truth/summary.tsv", sep="\t", index_col="metric")
    assert truth.loc["family_recall", "value"] == 0


def test_pool_sizes_are_tried_where_asked_for(finished_copy, tiny_config):
    finished_copy.configure(with_keys(tiny_config, sweep={"cells_per_pool": [5, 60]}))
    figure = "results/tiny/scover/figures/pool_size_sweep.svg"
    finished_copy.snakemake("--cores", "2", figure)
    table = pd.read_csv(finished_copy.results / "scover/pool_sizes.tsv", sep="\t")
    assert table["cells_per_pool"].unique().tolist() == [5, 60]
    assert set(table["measure"]) == {"r2", "sparsity", "purity", "n_cell_types", "influence_cv"}
    purity = table[table["measure"] == "purity"].groupby("cells_per_pool")["value"].mean()
    assert purity[5] > purity[60]  # the rarest type has 40 cells
