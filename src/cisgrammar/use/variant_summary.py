"""Effects of variants put together: a row each, what was left out, and the fields of a VCF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cisgrammar.genome.vcf import Allele, InfoField, annotate_vcf

ALLELE = ["variant", "chrom", "position", "ref", "alt"]
SEPARATOR = ";"
NAMES_SHOWN = 10  # of motifs that a variant makes or breaks
FIELDS = {  # column of the summary -> field of INFO
    "effect": InfoField("CG_EFFECT", "Float", "Largest effect: prediction of ALT minus REF"),
    "label": InfoField("CG_LABEL", "String", "Cell type or population of that effect"),
    "sequence": InfoField("CG_SEQ", "String", "Gene or peak of that effect"),
    "gene_name": InfoField("CG_GENE", "String", "Name of that gene"),
    "p": InfoField("CG_P", "Float", "Share of matched random variants with as large an effect"),
    "q": InfoField("CG_Q", "Float", "The same by Benjamini and Hochberg"),
    "gained": InfoField("CG_GAINED", "String", "Known motifs that ALT makes, best first"),
    "lost": InfoField("CG_LOST", "String", "Known motifs that ALT breaks, best first"),
}


def summarise(effects: pd.DataFrame, motifs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Take the largest effect of each variant.

    Parameters
    ----------
    effects
        From :func:`cisgrammar.use.variant_effects.variant_effects`.
    motifs
        From :func:`cisgrammar.use.variant_motifs.motif_changes`, if they were looked for.

    Returns
    -------
    The row of ``effects`` with the largest effect in absolute value, of each variant; with
    windows, how many hold it; with ``gained`` and ``lost``, names of transcription factors (else
    of motifs) parted by ``;``, those with the lowest p-value first. The largest effect first.
    """
    order = effects["effect"].abs().sort_values(ascending=False, kind="stable").index
    largest = effects.loc[order].drop_duplicates(ALLELE).reset_index(drop=True)
    n = effects.groupby(ALLELE, sort=False)["sequence"].nunique().rename("windows")
    largest = largest.merge(n, left_on=ALLELE, right_index=True, how="left")
    if motifs is None:
        return largest
    for change, column in (("gained", "p_alt"), ("lost", "p_ref")):
        its = motifs[motifs["change"] == change].sort_values(column, kind="stable")
        names = its["tfs"].where(its["tfs"] != "", its["motif"])
        listed = names.groupby([its[key] for key in ALLELE]).agg(_listed).rename(change)
        largest = largest.merge(listed, left_on=ALLELE, right_index=True, how="left")
        largest[change] = largest[change].fillna("")
    return largest


def _listed(names: pd.Series) -> str:
    different = list(dict.fromkeys(names.str.replace(SEPARATOR, "+")))
    more = [f"and {len(different) - NAMES_SHOWN} more"] if len(different) > NAMES_SHOWN else []
    return SEPARATOR.join(different[:NAMES_SHOWN] + more)


def count_reasons(effects: pd.DataFrame, skipped: pd.DataFrame) -> pd.DataFrame:
    """Count what became of the variants.

    Returns
    -------
    reason, variants, example: those with effects first. A variant with effects in one window
    may be left out in another, and is counted in both.
    """
    rows = [("has effects", effects)]
    rows += [(str(reason), its) for reason, its in skipped.groupby("reason")]
    counts = [
        (reason, len(its.drop_duplicates(["variant", "chrom", "ref", "alt"])), _first(its))
        for reason, its in rows
    ]
    table = pd.DataFrame(counts, columns=["reason", "variants", "example"])
    order = table["variants"].where(table.index > 0, table["variants"].max() + 1)
    return table.loc[order.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def _first(table: pd.DataFrame) -> str:
    return str(table["variant"].iloc[0]) if len(table) else ""


def write_annotated(
    source: str | Path, target: str | Path, summary: pd.DataFrame, lengths: Mapping[str, int]
) -> None:
    """Write the user's variants as a VCF with the largest effects in its INFO column.

    Parameters
    ----------
    source, target, lengths
        As for :func:`cisgrammar.genome.vcf.annotate_vcf`.
    summary
        From :func:`summarise`.
    """
    there = {column: field for column, field in FIELDS.items() if column in summary}
    values: dict[Allele, dict[str, object]] = {}
    for row in summary.to_dict("records"):
        allele = (row["chrom"], int(row["position"]) - 1, row["ref"], row["alt"])
        for column in {"gained", "lost"} & set(there):  # `;` parts fields
            row[column] = row[column].replace(SEPARATOR, "|")
        values[allele] = {field.name: row[column] for column, field in there.items()}
    annotate_vcf(source, target, list(there.values()), values, lengths)
