import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from cisgrammar.interpret.regulators import (
    find_pattern_regulators,
    find_regulators,
    match_genes,
    sum_by_label,
    summarise_regulators,
)

POOLS = [f"pool{i}" for i in range(6)]


def made():
    influence = np.array([[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], [1, 3, 2, 4, 6, 5]], float).T
    var = pd.DataFrame(
        {"tfs": ["UP;Down;ZERO;NOWHERE", "UP", ""]}, index=["ETS/A", "SP/B", "unknown/C"]
    )
    families = anndata.AnnData(influence, pd.DataFrame(index=POOLS), var)
    counts = np.array([[0, 1, 2, 4, 8, 16], [9, 7, 8, 3, 2, 1], [0] * 6], float).T
    genes = pd.DataFrame({"gene_name": ["Up", "DOWN", "Zero"]}, index=["G1.2", "G2.1", "G3.7"])
    counts = anndata.AnnData(sparse.csr_matrix(counts), pd.DataFrame(index=POOLS), genes)
    return families, counts


def test_correlation_sign_and_rank_by_hand():
    table = find_regulators(*made())
    ets = table[table["family"] == "ETS/A"]
    assert ets["tf"].tolist() == ["UP", "Down", "NOWHERE", "ZERO"]
    assert ets["gene"].tolist()[:2] == ["G1.2", "G2.1"]
    expected = stats.spearmanr(np.arange(6), [9, 7, 8, 3, 2, 1])
    assert ets["rho"].tolist()[:2] == [1, pytest.approx(expected.statistic)]
    assert ets["p"].iloc[1] == pytest.approx(expected.pvalue)
    assert ets["sign"].tolist()[:2] == ["activator", "repressor"]
    assert ets["rank"].tolist()[:2] == [1, 2] and ets["rank"].iloc[2:].isna().all()
    assert ets["note"].tolist() == ["", "", "not among the genes", "not expressed"]
    up = np.log10(1 + np.array([0, 1, 2, 4, 8, 16])).mean()
    assert ets["mean_expression"].iloc[0] == pytest.approx(up)


def test_adjustment_is_over_all_families():
    table = find_regulators(*made())
    tested = table.dropna(subset="p")
    assert len(tested) == 3
    np.testing.assert_allclose(tested["fdr"], stats.false_discovery_control(tested["p"]))


def test_family_without_tfs_is_reported():
    table = find_regulators(*made())
    last = table.iloc[-1]
    assert (last["family"], last["note"]) == ("unknown/C", "no known TF") and last["tf"] is None
    families, counts = made()
    nothing = find_regulators(families, counts[:, 2:])
    assert nothing["rho"].isna().all() and len(nothing) == 6
    summary = summarise_regulators(nothing)
    assert summary["note"].tolist() == [
        "3 not among the genes; 1 not expressed",
        "1 not among the genes",
        "no known TF",
    ]


def test_database_of_another_species_is_warned_of(caplog):
    families, counts = made()
    counts.var["gene_name"] = ["MSN2", "MSN4", "HSF1"]
    table = find_regulators(families, counts)
    assert table["rho"].isna().all()
    assert "none of the 4 transcription factors" in caplog.text and "MSN2" in caplog.text


def test_summary_names_the_best():
    summary = summarise_regulators(find_regulators(*made())).set_index("family")
    assert summary.loc["ETS/A", ["tf", "candidates", "expressed"]].tolist() == ["UP", 4, 2]
    assert summary.loc["SP/B", "sign"] == "repressor"
    assert summary.loc["SP/B", "significant"] == 1


def test_pools_are_matched_by_name_not_by_place():
    families, counts = made()
    assert find_regulators(families, counts[::-1]).equals(find_regulators(families, counts))
    with pytest.raises(ValueError, match="1 of 6 pools"):
        find_regulators(families, counts[1:])


def test_genes_are_matched_by_name_and_then_by_id():
    genes = pd.DataFrame({"gene_name": ["Elk1", "elk1", "x"]}, index=["G1.3", "G2", "ELK1"])
    assert match_genes(["ELK1", "g1", "G1.3", "G2", "none"], genes) == [0, 0, 0, 1, -1]
    assert match_genes(["yal001c"], pd.DataFrame(index=["YAL001C"])) == [0]


def test_counts_of_a_label_are_added_up_and_scaled_to_a_million():
    counts = anndata.AnnData(
        sparse.csr_matrix(np.array([[1.0, 1], [0, 0], [5, 3]])),
        pd.DataFrame({"cell_type": ["10", "NA", "10"]}, list("abc")),
    )
    found = sum_by_label(counts, None)
    assert list(found.obs_names) == ["10", "NA"]
    assert found.X.toarray().tolist() == [[6e5, 4e5], [0, 0]]
    alone = sum_by_label(anndata.AnnData(counts.X, pd.DataFrame(index=list("cab"))), None)
    assert list(alone.obs_names) == list("abc")


def test_patterns_go_with_the_expression_of_their_tfs_over_labels_alone():
    families, counts = made()
    by_label = families.to_df().T.assign(**{"pool1 - pool0": 100.0})
    table = families.var.rename_axis("family").reset_index()
    found = find_pattern_regulators(by_label, table, sum_by_label(counts, None))
    best = found[(found["family"] == "ETS/A") & (found["tf"] == "UP")]
    up, down = np.array([[0, 1, 2, 4, 8, 16], [9, 7, 8, 3, 2, 1]])
    scaled = up / (up + down)
    assert best["rho"].item() == pytest.approx(stats.spearmanr(range(6), scaled).statistic)
    few = find_pattern_regulators(by_label[POOLS[:3]], table, sum_by_label(counts, None))
    assert few["rho"].isna().all()


def test_no_pattern_has_no_regulator():
    _, counts = made()
    nothing = pd.DataFrame(columns=POOLS, dtype=float)
    families = pd.DataFrame({"family": [], "tfs": []}, dtype=object)
    assert find_pattern_regulators(nothing, families, sum_by_label(counts, None)).empty
