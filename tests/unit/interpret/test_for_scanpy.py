import anndata as ad
import matplotlib as mpl
import mudata
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from scipy import sparse

from cisgrammar.common.files import read_h5ad, write_h5ad
from cisgrammar.counts import read_files
from cisgrammar.interpret.for_scanpy import (
    cells_for_scanpy,
    pools_for_scanpy,
    write_multiome,
)
from cisgrammar.plots.tf_activity import row_names

mpl.use("Agg")
TYPES = ["01", "NA", "B cell", "01", "NA", "B cell"]
COLOURS = {"NA": "#111111", "unseen": "#222222", "01": "#333333", "B cell": "#444444"}


def scores(columns, n=6):
    rng = np.random.default_rng(0)
    data = ad.AnnData(
        rng.normal(size=(n, len(columns))),
        obs=pd.DataFrame({"cell_type": TYPES}, [f"pool{i}" for i in range(n)]),
        var=pd.DataFrame({"tfs": "TF"}, columns),
    )
    data.layers["effect"] = rng.normal(size=data.shape)
    data.obsm["X_umap"] = rng.normal(size=(n, 2))
    return data


def plotted(data, tmp_path):
    """Write and read it, then let scanpy draw without any preparation."""
    write_h5ad(data, tmp_path / "for_scanpy.h5ad")
    data = read_h5ad(tmp_path / "for_scanpy.h5ad")
    names = list(data.var_names)
    matrix = sc.pl.matrixplot(data, names, groupby="cell_type", return_fig=True)
    matrix.make_figure()
    rows = [text.get_text() for text in matrix.ax_dict["mainplot_ax"].get_yticklabels()]
    assert rows == ["NA", "01", "B cell"]
    figure = sc.pl.embedding(data, "X_umap", color=["cell_type", names[0]], return_fig=True)
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["NA", "01", "B cell"]
    return data


@pytest.mark.parametrize("score", ["effect", "influence"])
def test_scanpy_draws_pools_by_family_in_our_order_and_colours(tmp_path, score):
    families, motifs = scores(["Ebox/CACCTG", "KLF/1"]), scores(["0_0", "0_1", "1_0"])
    data = plotted(pools_for_scanpy(motifs[::-1], families, COLOURS, score), tmp_path)
    asked = families.layers["effect"] if score == "effect" else families.X
    assert np.allclose(data.X, asked)
    assert np.allclose(data.layers["influence"], families.X)
    assert list(data.uns["cell_type_colors"]) == ["#111111", "#333333", "#444444"]
    filters = data.obsm["motifs"]
    assert list(filters.columns) == ["0_0", "0_1", "1_0"]
    of_filters = motifs.layers["effect"] if score == "effect" else motifs.X
    assert np.allclose(filters, of_filters)


def test_scanpy_draws_cells_by_tf_activity(tmp_path):
    activity, embedding = scores(["MA1.1", "MA2.1"]), scores([])
    embedding.obs["leiden"] = list("001122")
    activity.var["name"] = "SP1"
    names = row_names(activity.var)
    data = plotted(cells_for_scanpy(activity, embedding[::-1], names, COLOURS), tmp_path)
    assert list(data.var_names) == list(names) and list(data.var["motif"]) == list(names.index)
    assert list(data.obs["leiden"]) == list("001122")
    assert np.allclose(data.obsm["X_umap"], embedding.obsm["X_umap"])


def test_a_multiome_is_read_by_mudata_and_by_this_pipeline(tmp_path):
    activity, embedding = scores(["MA1.1", "MA2.1"]), scores([])
    embedding.obs["leiden"] = list("001122")
    embedding.obsp["connectivities"] = sparse.eye(6, format="csr")
    cells = cells_for_scanpy(activity, embedding, pd.Series(["a", "b"]), COLOURS)
    genes = ad.AnnData(sparse.csr_matrix(np.arange(18.0).reshape(6, 3)), embedding.obs[[]])
    genes.var_names = ["g1", "g2", "shared"]
    peaks = ad.AnnData(sparse.csr_matrix(np.tri(6, 2, dtype=np.float32)), embedding.obs[[]])
    peaks.var_names = ["chr1:1-9", "shared"]
    path = tmp_path / "multiome.h5mu"
    write_multiome(genes[::-1], peaks, cells, path)

    found = mudata.read_h5mu(path)
    assert list(found.mod) == ["rna", "atac", "tf"]
    assert list(found.obs_names) == list(cells.obs_names)
    assert np.array_equal(found["rna"].X.toarray(), genes.X.toarray())
    assert np.array_equal(found["atac"].X.toarray(), peaks.X.toarray())
    assert np.allclose(found["tf"].X, cells.X)
    assert list(found.obs["leiden"]) == list("001122")
    assert np.allclose(found.obsm["X_umap"], embedding.obsm["X_umap"])
    assert found.obsp["connectivities"].nnz == 6
    again = read_files(path, modality="rna", cell_type="cell_type")
    assert list(again.obs["cell_type"]) == TYPES
    assert np.array_equal(again.X.toarray(), genes.X.toarray())
