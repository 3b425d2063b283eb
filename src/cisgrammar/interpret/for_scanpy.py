"""Results as an AnnData that scanpy draws as it is: names, cell types, colours, maps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from mudata import MuData, set_options

from cisgrammar.common.files import whole_file
from cisgrammar.interpret.influence import EFFECT, INFLUENCE


def pools_for_scanpy(
    influence: AnnData, families: AnnData, colours: Mapping[str, str], score: str
) -> AnnData:
    """Put what motif families and filters do to pools into one AnnData.

    Parameters
    ----------
    influence
        Pools x motifs: :func:`~cisgrammar.interpret.influence.gather`.
    families
        Pools x families: :func:`~cisgrammar.interpret.family_influence.sum_by_family`.
    colours
        Cell type to colour, in the order of the types.
    score
        ``effect`` or ``influence``: what is in X and ``obsm``.

    Returns
    -------
    Pools x families, float32: the score in X, both scores as layers, with obs, var, uns, obsm and
    varm of ``families``; ``obsm["motifs"]`` holds the score of each filter, a named column each;
    cell types as :func:`colour_types` leaves them.
    """
    layers = {INFLUENCE: families.X, EFFECT: families.layers[EFFECT]}
    layers = {name: np.asarray(values, dtype=np.float32) for name, values in layers.items()}
    result = AnnData(
        layers[score],
        obs=families.obs.copy(),
        var=families.var.copy(),
        uns=dict(families.uns),
        obsm=dict(families.obsm),
        varm=dict(families.varm),
        layers=layers,
    )
    filters = influence[families.obs_names].to_df(EFFECT if score == EFFECT else None)
    result.obsm["motifs"] = filters.astype(np.float32)
    colour_types(result, colours)
    return result


def cells_for_scanpy(
    activity: AnnData, embedding: AnnData, names: pd.Series, colours: Mapping[str, str]
) -> AnnData:
    """Put the activity of TFs in cells beside the map of the cells.

    Parameters
    ----------
    activity
        Cells x motifs.
    embedding
        The same cells: obs with clusters and batches, obsm with embedding and maps, and the
        graph of neighbours.
    names
        Motif to a name that no other has, for var.
    colours
        Cell type to colour, in the order of the types.

    Returns
    -------
    Cells x motifs: activity in X, var with ``motif``, the id; the rest as in ``embedding``.
    """
    cells = embedding[activity.obs_names]
    result = AnnData(
        np.asarray(activity.X, dtype=np.float32),
        obs=cells.obs.copy(),
        var=activity.var.rename_axis("motif").reset_index().set_index(pd.Index(list(names))),
        uns=dict(cells.uns),
        obsm=dict(cells.obsm),
        obsp=dict(cells.obsp),
    )
    colour_types(result, colours)
    return result


def write_multiome(genes: AnnData, peaks: AnnData, activity: AnnData, path: str | Path) -> None:
    """Write genes, open peaks and the activity of TFs in the same cells as one MuData.

    Parameters
    ----------
    genes
        Cells x genes: counts.
    peaks
        Cells x peaks: which are open.
    activity
        Cells x motifs: from :func:`cells_for_scanpy`.
    path
        Where to, h5mu. Its modalities ``rna``, ``atac`` and ``tf`` have the cells of ``activity``
        in their order; what is known of cells (``obs``), their maps (``obsm``) and neighbours
        (``obsp``) stand once, for all modalities.
    """
    cells = activity.obs_names
    modalities = {
        name: AnnData(data[cells].X, pd.DataFrame(index=cells), data.var.copy())
        for name, data in (("rna", genes), ("atac", peaks), ("tf", activity))
    }
    with set_options(pull_on_update=False), whole_file(path) as temporary:
        result = MuData(modalities)
        result.obs = activity.obs.copy()
        result.uns = dict(activity.uns)
        for mine, theirs in ((result.obsm, activity.obsm), (result.obsp, activity.obsp)):
            for key, value in theirs.items():
                mine[key] = value
        result.write_h5mu(temporary, compression="gzip")


def colour_types(data: AnnData, colours: Mapping[str, str]) -> None:
    """Put cell types into their order, and their colours where scanpy looks for them.

    Parameters
    ----------
    data
        ``obs["cell_type"]`` becomes categorical; ``uns["cell_type_colors"]`` is added.
    colours
        Cell type to colour, in the order of the types; others than those of ``data`` may be there.
    """
    labels = data.obs["cell_type"].astype(str)
    present = [name for name in colours if name in set(labels)]
    data.obs["cell_type"] = pd.Categorical(labels, categories=present)
    data.uns["cell_type_colors"] = [colours[name] for name in present]
