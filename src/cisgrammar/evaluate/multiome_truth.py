"""What scBasset found of what was planted in the simulated multiome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.common.statistics import pearson
from cisgrammar.interpret.mutagenesis import importance, mean_weights, mutate
from cisgrammar.interpret.tf_activity import insertion_effects
from cisgrammar.models.abilities import Inserts
from cisgrammar.motifs.meme import Motif

REQUIRED = {"median_r_activity": 0.8}


def effects_both_ways(
    model: Inserts, codes: np.ndarray, motifs: Sequence[Motif], *, n_backgrounds: int, seed: int
) -> dict[str, np.ndarray]:
    """Put motifs into shuffled peaks, and take the effect on ``logits`` and ``accessibility``.

    Parameters and values are those of :func:`cisgrammar.interpret.tf_activity.insertion_effects`.
    """
    return {
        way: insertion_effects(
            model,
            codes,
            motifs,
            n_backgrounds=n_backgrounds,
            of_logits=way == "logits",
            seed=seed,
        )
        for way in ("logits", "accessibility")
    }


def activity_table(
    effects: Mapping[str, np.ndarray],
    names: list[str],
    planted: pd.DataFrame,
    cell_types: pd.Series,
) -> pd.DataFrame:
    """Correlate activity of the planted motifs with their planted activity.

    Parameters
    ----------
    effects
        How effects were taken, to effects, ``(cells, motifs)``.
    names
        Of the motifs.
    planted
        truth/activities.tsv: motif (index) x cell type.
    cell_types
        Of the cells.

    Returns
    -------
    motif; for each way r over cells and over the means of cell types: ``r_{way}`` and
    ``r_types_{way}``.
    """
    truth = planted.loc[names, cell_types.astype(str)].to_numpy().T
    table: dict[str, object] = {"motif": names}
    for way, values in effects.items():
        means = pd.DataFrame(values).groupby(cell_types.astype(str).to_numpy()).mean()
        table[f"r_{way}"] = pearson(values, truth, axis=0)
        table[f"r_types_{way}"] = pearson(
            means.to_numpy(), planted.loc[names, means.index].to_numpy().T, axis=0
        )
    return pd.DataFrame(table)


def activity_pairs(
    z: np.ndarray, names: list[str], planted: pd.DataFrame, cell_types: pd.Series
) -> pd.DataFrame:
    """Set the mean activity of each cell type beside the planted one.

    Parameters
    ----------
    z
        Activity, ``(cells, motifs)``.
    names, planted, cell_types
        As in :func:`activity_table`.

    Returns
    -------
    motif, cell_type, activity (planted), tf_activity.
    """
    means = pd.DataFrame(z, columns=names).groupby(cell_types.astype(str).to_numpy()).mean()
    found = means.rename_axis("cell_type").reset_index()
    found = found.melt("cell_type", var_name="motif", value_name="tf_activity")
    truth = planted.rename_axis("motif").reset_index()
    truth = truth.melt("motif", var_name="cell_type", value_name="activity")
    pairs = truth.merge(found, on=["motif", "cell_type"], how="inner")
    return pairs[["motif", "cell_type", "activity", "tf_activity"]]


def sites_found(
    model: Inserts,
    cells: AnnData,
    sites: pd.DataFrame,
    planted: pd.DataFrame,
    *,
    n_peaks: int,
    seed: int,
) -> pd.DataFrame:
    """Tell where importance is highest in peaks with one planted site.

    Parameters
    ----------
    model
        A trained model.
    cells
        Cells x peaks: var chrom, start, end, ``varm["codes"]``, obs cell_type.
    sites
        truth/sites.tsv: peak, motif, start (0-based in the genome), sequence.
    planted
        truth/activities.tsv: motif (index) x cell type.
    n_peaks
        How many are drawn; of all there are, if fewer.
    seed
        Of the draw.

    Returns
    -------
    peak, motif, cell_type (where the TF is most active), activity there, start (of the site, in
    the sequence), highest (where the sum of importance over the site's width is highest, its sign
    turned for a TF that closes peaks), right (the two are at most half a site apart), chance (the
    share of places that would be right).
    """
    there = sites[sites["peak"].isin(cells.var_names) & ~sites.duplicated("peak", keep=False)]
    there = there.assign(start=_in_window(there, cells), width=there["sequence"].str.len())
    length = cells.varm["codes"].shape[1]
    there = there[(there["start"] >= 0) & (there["start"] + there["width"] <= length)]
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(len(there), min(n_peaks, len(there)), replace=False))
    weights, names = mean_weights(model, cells.obs["cell_type"])
    rows = []
    for site in there.iloc[chosen].itertuples():
        codes = cells.varm["codes"][cells.var_names.get_loc(site.peak)]
        effect = planted.loc[site.motif, names]
        group = int(effect.abs().to_numpy().argmax())
        scores = importance(mutate(model, codes, weights[[group]]), codes)[0]
        scores = np.sign(effect.iloc[group]) * scores
        sums = np.convolve(scores, np.ones(site.width), mode="valid")
        highest, half = int(sums.argmax()), site.width // 2
        places = np.abs(np.arange(len(sums)) - site.start) <= half
        rows.append(
            {
                "peak": site.peak, "motif": site.motif, "cell_type": names[group],
                "activity": effect.iloc[group], "start": site.start, "highest": highest,
                "right": bool(places[highest]), "chance": places.mean(),
            }
        )  # fmt: skip
    columns = ["peak", "motif", "cell_type", "activity", "start", "highest", "right", "chance"]
    return pd.DataFrame(rows, columns=columns)


def _in_window(sites: pd.DataFrame, cells: AnnData) -> np.ndarray:
    """Start of each site in the sequence that the model reads."""
    peaks = cells.var.loc[sites["peak"]]
    middle = (peaks["start"].to_numpy() + peaks["end"].to_numpy()) // 2
    return sites["start"].to_numpy() - (middle - cells.varm["codes"].shape[1] // 2)


def summarise(activity: pd.DataFrame, found: pd.DataFrame, way: str) -> pd.DataFrame:
    """Put the comparison into a few numbers.

    Parameters
    ----------
    activity
        From :func:`activity_table`.
    found
        From :func:`sites_found`.
    way
        Which of the ways the config takes.

    Returns
    -------
    metric, value, required (missing where nothing is).
    """
    ways = [name.removeprefix("r_types_") for name in activity if name.startswith("r_types_")]
    values = {
        "planted_motifs": len(activity),
        "median_r_activity": activity[f"r_{way}"].median(),
        "least_r_activity": activity[f"r_{way}"].min(),
    }
    for other in ways:
        values[f"median_r_activity_{other}"] = activity[f"r_{other}"].median()
        values[f"median_r_activity_types_{other}"] = activity[f"r_types_{other}"].median()
    values |= {
        "peaks_mutated": len(found),
        "share_highest_in_site": found["right"].mean(),
        "share_by_chance": found["chance"].mean(),
    }
    rows = [(name, float(value), REQUIRED.get(name, np.nan)) for name, value in values.items()]
    return pd.DataFrame(rows, columns=["metric", "value", "required"])
