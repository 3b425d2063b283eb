"""Which transcription factor may be behind a motif family."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from cisgrammar.common.statistics import benjamini_hochberg, spearman
from cisgrammar.motifs.databases import SEPARATOR

NO_TFS, NOT_MEASURED, NOT_EXPRESSED = "no known TF", "not among the genes", "not expressed"
logger = logging.getLogger(__name__)


def match_genes(names: list[str], genes: pd.DataFrame) -> list[int]:
    """Find genes by name, in any case, then by id.

    Parameters
    ----------
    names
        Gene names, as motif databases or gene sets have them.
    genes
        Index gene id; column ``gene_name`` if the genes have names.

    Returns
    -------
    Row of each name in ``genes`` (the first of equals), -1 where there is none.
    Ids are compared with and without their version.
    """
    row_of: dict[str, int] = {}
    ids = genes.index.astype(str).str.upper()
    columns = [ids, ids.str.replace(r"\.\d+$", "", regex=True)]
    if "gene_name" in genes:
        columns.insert(0, genes["gene_name"].astype(str).str.upper())
    for column in columns:
        for row, name in enumerate(column):
            row_of.setdefault(name, row)
    return [row_of.get(name.upper(), -1) for name in names]


def log_expression(counts: AnnData, pools: pd.Index, genes: list[int] | np.ndarray) -> np.ndarray:
    """Read log10(1 + summed counts) of some genes: ``(pools, genes)``, in the order given.

    Raises
    ------
    ValueError
        If a pool has no counts.
    """
    rows = counts.obs_names.get_indexer(pools)
    if (rows < 0).any():
        raise ValueError(f"{(rows < 0).sum()} of {len(pools)} pools have no counts")
    values = counts.X[rows][:, genes]
    values = values.toarray() if sparse.issparse(values) else np.asarray(values)
    return np.log10(1 + values.astype(np.float64))


def find_regulators(families: AnnData, counts: AnnData) -> pd.DataFrame:
    """Correlate each family's influence with the expression of its transcription factors.

    Parameters
    ----------
    families
        Pools x families, influence; ``var["tfs"]`` the candidates, ``;`` between them.
    counts
        Pools x genes, summed counts: pools.h5ad, or with ATAC targets the paired RNA's.

    Returns
    -------
    One row a family and candidate, in the order of the families and from most to
    least correlated (absolute): family, tf, gene (id), rho (Spearman over pools),
    p, fdr (Benjamini-Hochberg over all tests), sign (``activator``, ``repressor``),
    rank (1 is the best of the family), mean_expression (log10(1 + counts)), note.
    A family without candidates, and a candidate without expression, are there
    with missing values and a note that says why.

    Notes
    -----
    Hepkema et al. (2023), Methods, "Correlation of motif influence and TF
    expression". Genes are matched by name, in any case, then by id.
    """
    rows = [
        (family, tf)
        for family, tfs in families.var["tfs"].fillna("").items()
        for tf in tfs.split(SEPARATOR)
    ]
    table = pd.DataFrame(rows, columns=["family", "tf"])
    gene = np.array(match_genes(table["tf"].tolist(), counts.var), dtype=int)
    measured = (gene >= 0) & (table["tf"] != "").to_numpy()
    known = table["tf"][table["tf"] != ""].unique()
    if len(known) and not measured.any():
        logger.warning(
            "none of the %d transcription factors of the motif database (%s, ...) is among the "
            "data's %d genes (%s, ...): is the database of another species?",
            *(len(known), ", ".join(known[:3]), counts.n_vars, _first_names(counts.var)),
        )
    genes, place = np.unique(gene[measured], return_inverse=True)
    expression = log_expression(counts, families.obs_names, genes)
    rho, p = spearman(np.asarray(families.X), expression)
    family = families.var_names.get_indexer(table["family"][measured])
    table["gene"] = None
    table.loc[measured, "gene"] = counts.var_names[genes[place]].to_numpy()
    for column, values in [("rho", rho), ("p", p)]:
        table[column] = np.nan
        table.loc[measured, column] = values[family, place]
    table["fdr"] = benjamini_hochberg(table["p"].to_numpy())
    table["mean_expression"] = np.nan
    table.loc[measured, "mean_expression"] = expression.mean(axis=0)[place]
    expressed = table["mean_expression"] > 0
    notes = [table["tf"] == "", ~measured, ~expressed]
    table["note"] = np.select(notes, [NO_TFS, NOT_MEASURED, NOT_EXPRESSED], "")
    table["sign"] = np.sign(table["rho"]).map({1: "activator", -1: "repressor"})
    return _ranked(table, families)


def find_pattern_regulators(
    by_label: pd.DataFrame, families: pd.DataFrame, expression: AnnData
) -> pd.DataFrame:
    """Correlate what families of patterns contribute with the expression of their TFs, over labels.

    Parameters
    ----------
    by_label
        Families (index) x labels: from
        :func:`cisgrammar.interpret.pattern_families.contribution_by_label`. Differences of two
        labels are passed over.
    families
        family, tfs: from :func:`cisgrammar.interpret.pattern_families.name_patterns`.
    expression
        Labels x genes: :func:`sum_by_label`.

    Returns
    -------
    As :func:`find_regulators`, over labels in place of pools. Fewer than four labels cannot be
    correlated: then ``rho`` is missing.
    """
    labels = [label for label in by_label.columns if label in expression.obs_names]
    var = families.set_index("family")[["tfs"]].loc[by_label.index]
    contributions = AnnData(by_label[labels].to_numpy().T, pd.DataFrame(index=labels), var)
    return find_regulators(contributions, expression)


def sum_by_label(counts: AnnData, by: str | None) -> AnnData:
    """Add up counts by label, and scale each label's to a million: labels x genes.

    Parameters
    ----------
    counts
        Pools or cells x genes.
    by
        Column of ``obs`` with the labels. None: ``cell_type`` where there is one, else each row
        is a label.
    """
    column = by or ("cell_type" if "cell_type" in counts.obs else None)
    names = counts.obs[column].astype(str) if column else counts.obs_names
    number, labels = pd.factorize(np.asarray(names, dtype=object), sort=True)
    member = sparse.csr_matrix((np.ones(len(number)), (number, np.arange(len(number)))))
    total = sparse.csr_matrix(member @ sparse.csr_matrix(counts.X))
    per_label = np.maximum(np.asarray(total.sum(axis=1)).ravel(), 1)
    scaled = sparse.csr_matrix(sparse.diags(1e6 / per_label) @ total)
    return AnnData(scaled, pd.DataFrame(index=labels), counts.var.copy())


def _first_names(genes: pd.DataFrame) -> str:
    return ", ".join(map(str, genes.get("gene_name", genes.index)[:3]))


def _ranked(table: pd.DataFrame, families: AnnData) -> pd.DataFrame:
    table["order"] = families.var_names.get_indexer(table["family"])
    table["strength"] = table["rho"].abs()
    table = table.sort_values(
        ["order", "strength", "tf"], ascending=[True, False, True], na_position="last"
    )
    table["rank"] = (table.groupby("order").cumcount() + 1).where(table["rho"].notna())
    table["rank"] = table["rank"].astype("Int64")
    table["tf"] = table["tf"].replace("", None)
    silent = table.groupby("family")["rho"].apply(lambda rho: rho.isna().all())
    logger.info(
        "%d tests of %d families; %d families have no expressed TF",
        *(table["rho"].notna().sum(), families.n_vars, silent.sum()),
    )
    columns = ["family", "tf", "gene", "rho", "p", "fdr", "sign", "rank", "mean_expression", "note"]
    return table[columns].reset_index(drop=True)


def summarise_regulators(regulators: pd.DataFrame, max_fdr: float = 0.05) -> pd.DataFrame:
    """Name the likeliest transcription factor of each family.

    Parameters
    ----------
    regulators
        Of :func:`find_regulators`.
    max_fdr
        Significance.

    Returns
    -------
    One row a family, in the same order: family, tf, rho, fdr, sign of the best
    candidate, candidates, expressed, significant (how many), note.
    """
    rows = []
    for family, candidates in regulators.groupby("family", sort=False):
        best = candidates.iloc[0]
        expressed = candidates["rho"].notna()
        note = "" if expressed.any() else _why_silent(candidates)
        rows.append(
            {
                "family": family,
                "tf": best["tf"] if expressed.any() else None,
                "rho": best["rho"],
                "fdr": best["fdr"],
                "sign": best["sign"],
                "candidates": candidates["tf"].notna().sum(),
                "expressed": expressed.sum(),
                "significant": (candidates["fdr"] <= max_fdr).sum(),
                "note": note,
            }
        )
    return pd.DataFrame(rows)


def _why_silent(candidates: pd.DataFrame) -> str:
    counts = candidates["note"].value_counts().sort_index()
    if NO_TFS in counts:
        return NO_TFS
    return "; ".join(f"{n} {note}" for note, n in counts.items())


def best_pairs(regulators: pd.DataFrame) -> pd.DataFrame:
    """Pick each family's best TF, the strongest correlations first; ties by family."""
    best = regulators[(regulators["rank"] == 1) & regulators["rho"].notna()]
    order = best["rho"].abs().sort_values(ascending=False, kind="stable").index
    return best.loc[order].reset_index(drop=True)


def tf_expression(counts: AnnData, families: AnnData, regulators: pd.DataFrame) -> pd.DataFrame:
    """Read the expression of the candidates that have any.

    Parameters
    ----------
    counts
        Pools x genes, summed counts.
    families
        Pools x families, for the pools' names.
    regulators
        Of :func:`find_regulators`.

    Returns
    -------
    Pool x TF, log10(1 + counts).
    """
    tfs = regulators.dropna(subset=["rho"]).drop_duplicates("tf")
    genes = counts.var_names.get_indexer(tfs["gene"].astype(str))
    values = log_expression(counts, families.obs_names, genes)
    return pd.DataFrame(values, index=families.obs_names, columns=tfs["tf"])
