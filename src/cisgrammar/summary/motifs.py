"""What the models found: motif families, k-mers, activities of TFs; effects by cell type."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from cisgrammar.common.files import read_h5ad, read_matrix, read_table
from cisgrammar.interpret.family_influence import trusted
from cisgrammar.models.registry import MODELS
from cisgrammar.plots.cell_types import cell_type_colours, present_types
from cisgrammar.summary.files import Files
from cisgrammar.summary.page import Section, table

N_ROWS = 10
N_IN_SHORT = 5
N_CELL_TYPES = 12  # more would not fit; the page behind has them all


def families(files: Files, model: str) -> Section | None:
    """Show the ten families with the strongest effect that all folds agree about."""
    influence = files.get(f"{model}/family_influence.h5ad")
    effects = files.get(f"{model}/family_effect_by_cell_type.tsv")
    regulators = files.get(f"{model}/regulators_summary.tsv")
    if influence is None or effects is None:
        return None
    data = read_h5ad(influence)
    about = data.var.rename_axis("family").reset_index()
    about["family"] = about["family"].astype(str)
    by_type = read_matrix(effects, about["family"])
    kept = trusted(about, data.var).to_numpy()
    strongest = by_type[kept].abs().max(axis=1).nlargest(N_ROWS).index
    rows = about.set_index("family").loc[strongest]
    shown = pd.DataFrame({"family": strongest, "folds": rows["n_folds"].astype(int).to_numpy()})
    if regulators is not None:
        tfs = read_table(regulators).astype({"family": str}).set_index("family")
        shown["likely TF"] = tfs["tf"].reindex(strongest).to_numpy()
        shown["rho"] = tfs["rho"].reindex(strongest).to_numpy()
    logos = {
        name: data.uns["logos"][example]
        for name, example in rows["example"].items()
        if example in data.uns["logos"]
    }
    n = int(kept.sum())
    ten = "; the strongest ten are shown" if n > N_ROWS else ""
    if files.n_folds(model) == 1:
        sentence = (
            f"{n} motif families were found{ten}. There is one fold, so nothing says which of them "
            "another training would find again."
        )
    else:
        sentence = (
            f"{n} of {len(about)} motif families were found in at least half of the folds, which "
            f"agree about the sign of the effect{ten}."
        )
    caption = (
        f"Effect: how far the prediction{files.unit()} moves when the motif's activation rises by "
        "one standard deviation."
    )
    if regulators is not None:
        caption += (
            " rho: Spearman's, of the TF's expression with the family's influence over pools."
        )
    links = {
        "Figure of all families": f"{model}/figures/family_heatmap.svg",
        "Figure of regulators": f"{model}/figures/regulator_volcano.svg",
        "Table of all families": f"{model}/family_effect_by_cell_type.tsv",
    }
    strip = _cut(by_type.loc[strongest], files)
    tables = [table(shown, caption, logos=logos, effects=strip)] if n else []
    title = f"Motif families of {MODELS[model].title}"
    in_short = f"{title}: {_names(shown)}." if n else f"{title}: none that all folds agree about."
    return Section(title, [sentence], tables, links, in_short=in_short)


def _names(shown: pd.DataFrame) -> str:
    """Name the strongest families, with the likely TF of each."""
    tfs = shown["likely TF"] if "likely TF" in shown else [None] * len(shown)
    return _strongest(
        [
            family if pd.isna(tf) or not tf else f"{family} ({tf})"
            for family, tf in zip(shown["family"], tfs, strict=True)
        ]
    )


def _strongest(names: Iterable[str]) -> str:
    texts = list(names)
    more = f", and {len(texts) - N_IN_SHORT} more below" if len(texts) > N_IN_SHORT else ""
    return "the strongest are " + ", ".join(texts[:N_IN_SHORT]) + more


def kmers(files: Files, model: str) -> Section | None:
    """Show the ten k-mers that differ most between cell types."""
    if (path := files.get(f"{model}/kmers.tsv")) is None:
        return None
    found = read_table(path)
    found = found[found["part"] == "differences"].nlargest(N_ROWS, "strength")
    if found.empty:
        return None
    about = found[["kmer", "tf", "folds"]].rename(columns={"tf": "resembles the motif of"})
    effects = found.iloc[:, found.columns.get_loc("motif_p") + 1 :]
    caption = (
        f"Effect: how far the prediction{files.unit()} moves when the log count rises by one "
        "standard deviation, beyond its mean over cell types. folds: share that count the k-mer."
    )
    strip = _cut(effects, files)
    sentence = "The k-mers whose effects differ most between cell types:"
    links = {"Figure": f"{model}/figures/kmer_heatmap.svg", "Table": f"{model}/kmers.tsv"}
    title = f"K-mers of {MODELS[model].title}"
    return Section(title, [sentence], [table(about, caption, effects=strip)], links)


def activities(files: Files, model: str) -> Section | None:
    """Show the ten motifs of the largest effect, one of those that go together."""
    by_type = files.get(f"{model}/tf_activity_by_cell_type.tsv")
    scores = files.get(f"{model}/tf_activity.h5ad")
    if by_type is None or scores is None:
        return None
    known = read_h5ad(scores, backed="r").var
    ranked = known["rank"].dropna().sort_values().index
    strongest, title = ranked[:N_ROWS], f"Transcription factors of {MODELS[model].title}"
    if strongest.empty:
        return None
    # z-scores alone make motifs that do next to nothing look as strong as any
    effects = read_matrix(by_type, known.index).loc[strongest].mul(known["sd"][strongest], axis=0)
    names = known.loc[strongest, "name"]
    about = pd.DataFrame({"TF": names.to_numpy(), "motif": strongest})
    sentence = (
        "Known motifs were put into shuffled peaks. What they change in a cell is the activity of "
        "their TF there. These have the largest effects; of motifs whose activities go together "
        "only one is shown:"
    )
    links = {
        "Figure of all motifs": f"{model}/figures/tf_activity_heatmap.svg",
        "Maps": f"{model}/figures/tf_activity_maps.svg",
    }
    caption = "Effect on the prediction, mean of the cells of a type, beyond the mean of all cells"
    tables = [table(about, caption, effects=_cut(effects, files))]
    return Section(title, [sentence], tables, links, in_short=f"{title}: {_strongest(names)}.")


def _cut(effects: pd.DataFrame, files: Files) -> pd.DataFrame:
    """Keep the cell types that differ most from the others, in the order of figures."""
    if path := files.get("cell_types.tsv"):
        effects = effects[list(present_types(effects.columns, cell_type_colours(path)))]
    if effects.shape[1] <= N_CELL_TYPES:
        return effects
    spread = effects.sub(effects.mean(axis=1), axis=0).abs().max()
    kept = set(spread.nlargest(N_CELL_TYPES).index)
    return effects[[name for name in effects if name in kept]]
