"""Truth about links: tables of tested pairs, enhancers, interactions and eQTLs, of any source."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, is_bed_header, nearest, open_text

logger = logging.getLogger(__name__)

LEAST_SHARE = 0.05  # of a truth's elements on peaks; fewer speak for another assembly
# names of columns, as the tables of ENCODE's benchmark and of others have them
ALIASES = {
    "chrom": ("chrom", "chr", "#chr"),
    "start": ("chromStart", "start"),
    "end": ("chromEnd", "end"),
    "gene": ("measuredGeneSymbol", "TargetGene", "gene"),
    "gene_id": ("measuredGeneEnsemblId", "TargetGeneEnsemblID", "gene_id"),
    "regulated": ("Regulated", "regulated"),
    "distance": ("distanceToTSS", "DistanceToTSS"),
    "tss": ("startTSS", "TargetGeneTSS"),
    "valid": ("ValidConnection",),
}
NEEDED = ("chrom", "start", "end", "gene", "regulated")
YES, NO = {"TRUE", "True", "true", "1"}, {"FALSE", "False", "false", "0"}
BEDPE, BED = 6, 3  # least columns


def read_pairs(path: str | Path) -> pd.DataFrame:
    """Read element-gene pairs that were tested, as tables of CRISPRi screens are.

    Parameters
    ----------
    path
        TSV, plain or gzipped, with the columns of ENCODE's benchmark (chrom, chromStart,
        chromEnd, measuredGeneSymbol, Regulated; measuredGeneEnsemblId, distanceToTSS, startTSS and
        ValidConnection if known).

    Returns
    -------
    chrom, start, end, gene, gene_id, regulated (bool), distance (bases, or NaN). Pairs that
    ``ValidConnection`` calls invalid are left out and counted.

    Raises
    ------
    InputError
        If a column is missing or holds something else.
    """
    with open_text(path, "links.truth") as stream:
        raw = pd.read_csv(stream, sep="\t", dtype=str, keep_default_na=False)
    found = {key: next((n for n in names if n in raw), None) for key, names in ALIASES.items()}
    missing = [ALIASES[key][0] for key in NEEDED if found[key] is None]
    if missing:
        hint = nearest(missing[0], raw.columns)
        raise InputError(
            f"{path}: no column {', '.join(missing)} among {examples(raw.columns, 8)}.{hint} A "
            "table of tested pairs has chrom, chromStart, chromEnd, measuredGeneSymbol and "
            "Regulated, tab between them, as those of ENCODE's CRISPRi benchmark."
        )
    named = raw[[name for name in found.values() if name]]
    table = named.set_axis([key for key, name in found.items() if name], axis=1)
    table["regulated"] = _booleans(path, table["regulated"], found["regulated"] or "")
    if "valid" in table:
        valid = _booleans(path, table.pop("valid"), "ValidConnection")
        logger.info("%s: %d of %d pairs left out: no valid connection", path, (~valid).sum(),
                    len(valid))  # fmt: skip
        table = table[valid].reset_index(drop=True)
    for key in ("start", "end"):
        table[key] = _integers(path, table[key], str(found[key]))
    distance = pd.to_numeric(table.get("distance", pd.Series(np.nan, table.index)), "coerce")
    if "tss" in table:
        middle = (table["start"] + table["end"]) // 2
        distance = distance.fillna((middle - pd.to_numeric(table.pop("tss"), "coerce")).abs())
    if "gene_id" not in table:
        table["gene_id"] = ""
    columns = ["chrom", "start", "end", "gene", "gene_id", "regulated"]
    return table[columns].assign(distance=distance.to_numpy())


def _booleans(path: str | Path, values: pd.Series, name: str) -> pd.Series:
    bad = values[~values.isin(YES | NO)]
    if len(bad):
        raise InputError(
            f"{path}: column {name} holds {examples(bad.unique())} in {len(bad):,} rows, where "
            "TRUE or FALSE should be. Take out rows that were not tested."
        )
    return values.isin(YES)


def _integers(path: str | Path, values: pd.Series, name: str) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.isna().any():
        raise InputError(
            f"{path}: column {name} holds {examples(values[numbers.isna()])}, where a place in "
            "bases should be. The columns are probably shifted: there must be one tab between two."
        )
    return numbers.astype(np.int64)


def read_places(path: str | Path, least: int = BED) -> pd.DataFrame:
    """Read a BED or BEDPE: enhancers, eQTLs (gene in the fourth column), interactions.

    Parameters
    ----------
    path
        Plain or gzipped.
    least
        Columns that it must have: 3, or 6 for BEDPE.

    Returns
    -------
    chrom, start, end, name (the fourth column); with ``least=6`` also chrom2, start2, end2.

    Raises
    ------
    InputError
        If a line has too few columns or places that are not numbers.
    """
    names = ["chrom", "start", "end", "chrom2", "start2", "end2"][:least]
    numbers = [i for i, name in enumerate(names) if name.startswith(("start", "end"))]
    rows = []
    with open_text(path, "links.truth") as stream:
        for number, line in enumerate(stream, 1):
            if is_bed_header(line) or not line.strip():
                continue
            fields = line.rstrip("\r\n").split("\t")
            if len(fields) < least or not all(fields[i].isdigit() for i in numbers):
                raise InputError(
                    f"{path}, line {number}: {examples(fields, 6)} is not "
                    f"{'BEDPE' if least == BEDPE else 'BED'}, of which {least} columns are needed, "
                    "with whole numbers for starts and ends and tabs between them."
                )
            rows.append([*fields[:least], fields[BED] if len(fields) > BED else ""])
    table = pd.DataFrame(rows, columns=[*names, "name"])
    return table.astype({names[i]: np.int64 for i in numbers})


def overlapping(first: pd.DataFrame, second: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Find all pairs of rows whose regions share a base.

    Parameters
    ----------
    first, second
        chrom, start, end.

    Returns
    -------
    Rows of the first and of the second: ``(hits,)`` each, by the first's row.
    """
    left, right = [], []
    by_chrom = dict(list(second.reset_index(drop=True).groupby("chrom", observed=True)))
    for chrom, rows in first.reset_index(drop=True).groupby("chrom", observed=True):
        if chrom not in by_chrom:
            continue
        others = by_chrom[chrom].sort_values("start", kind="stable")
        starts, ends = others["start"].to_numpy(), others["end"].to_numpy()
        longest = int((ends - starts).max())
        low = np.searchsorted(starts, rows["start"].to_numpy() - longest, "right")
        high = np.searchsorted(starts, rows["end"].to_numpy(), "left")
        count = np.maximum(high - low, 0)
        mine = np.repeat(rows.index.to_numpy(), count)
        offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        its = np.repeat(low, count) + offset
        hit = ends[its] > np.repeat(rows["start"].to_numpy(), count)
        left.append(mine[hit])
        right.append(others.index.to_numpy()[its[hit]])
    if not left:
        return np.empty(0, int), np.empty(0, int)
    found = np.concatenate(left), np.concatenate(right)
    order = np.lexsort((found[1], found[0]))
    return found[0][order], found[1][order]


def require_overlap(path: str | Path, n_hit: int, n: int, what: str, peaks: pd.DataFrame) -> None:
    """Refuse a truth whose elements hardly touch the data's peaks.

    Raises
    ------
    InputError
        If fewer than a twentieth do.
    """
    logger.info("%s: %d of %d %s touch a peak", path, n_hit, n, what)
    if n_hit < LEAST_SHARE * n:
        raise InputError(
            f"{path}: only {n_hit:,} of {n:,} {what} touch one of the {len(peaks):,} peaks. The "
            "table is probably of another genome assembly than the peaks, or names chromosomes "
            f"differently (peaks are on {examples(peaks['chrom'].unique())}). Lift it over, or "
            "take it out of `links.truth`."
        )


def label_tested_pairs(
    path: str | Path,
    truth: pd.DataFrame,
    peaks: pd.DataFrame,
    links: pd.DataFrame,
    methods: Sequence[str],
) -> pd.DataFrame:
    """Give each tested pair the highest score of the links that it overlaps.

    Parameters
    ----------
    path
        For messages.
    truth
        From :func:`read_pairs`.
    peaks
        Index name; chrom, start, end.
    links
        gene, gene_name, peak, and methods.
    methods
        Columns to take.

    Returns
    -------
    gene, distance, label, and the methods: pairs of genes that are in the links. A pair without
    a link has the lowest score of each method: it was not called.

    Raises
    ------
    InputError
        As :func:`require_overlap`.
    """
    places = truth[["chrom", "start", "end"]]
    rows, hits = overlapping(places, peaks.reset_index(drop=True))
    known = set(peaks["chrom"].astype(str))
    n_places = len(places.drop_duplicates())
    touched = len(places.iloc[np.unique(rows)].drop_duplicates())
    on_known = int(places["chrom"].isin(known).sum())
    require_overlap(path, touched, n_places, "elements", peaks)
    genes = pd.concat(
        [pd.Series(links["gene"].to_numpy(), links["gene_name"]),
         pd.Series(links["gene"].to_numpy(), links["gene"])]
    )  # fmt: skip
    gene_of = genes[~genes.index.duplicated()]
    gene = truth["gene"].map(gene_of).fillna(truth["gene_id"].map(gene_of))
    hit = pd.DataFrame({"row": rows, "peak": peaks.index[hits], "gene": gene.to_numpy()[rows]})
    scored = hit.merge(links[["gene", "peak", *methods]], on=["gene", "peak"])
    best = scored.groupby("row")[list(methods)].max().reindex(np.arange(len(truth)))
    here = gene.notna().to_numpy()
    logger.info("%s: %d of %d pairs are on chromosomes with peaks, %d of known genes, %d scored",
                path, on_known, len(truth), here.sum(), best.notna().any(axis=1).sum())  # fmt: skip
    table = best[here].fillna(links[list(methods)].min())
    table.insert(0, "gene", gene[here].to_numpy())
    table.insert(1, "distance", truth.loc[here, "distance"].abs().to_numpy())
    table.insert(2, "label", truth.loc[here, "regulated"].to_numpy())
    return table.reset_index(drop=True)


def label_enhancers(
    path: str | Path, enhancers: pd.DataFrame, peaks: pd.DataFrame, links: pd.DataFrame
) -> np.ndarray:
    """Say which links have a peak that touches an enhancer, whatever its gene."""
    rows, _ = overlapping(peaks.reset_index(drop=True), enhancers)
    touched = peaks.index[np.unique(rows)]
    require_overlap(path, len(touched), len(peaks), "peaks and enhancers", peaks)
    return links["peak"].isin(touched).to_numpy()


def label_interactions(
    path: str | Path, interactions: pd.DataFrame, peaks: pd.DataFrame, links: pd.DataFrame
) -> np.ndarray:
    """Say which links have a peak at one end of an interaction and the promoter at the other."""
    ends = [
        interactions[["chrom", "start", "end"]],
        interactions[["chrom2", "start2", "end2"]].set_axis(["chrom", "start", "end"], axis=1),
    ]
    at = [overlapping(end, peaks.reset_index(drop=True)) for end in ends]
    pairs = set()
    for one, other in (at, at[::-1]):
        left = pd.DataFrame({"row": one[0], "peak": peaks.index[one[1]]})
        right = pd.DataFrame({"row": other[0], "promoter": peaks.index[other[1]]})
        both = left.merge(right, on="row")
        pairs |= set(zip(both["peak"], both["promoter"], strict=True))
    n_hit = len(np.intersect1d(at[0][0], at[1][0]))
    require_overlap(path, n_hit, len(interactions), "interactions at both ends", peaks)
    mine = zip(links["peak"], links["promoter_peak"], strict=True)
    return np.fromiter((pair in pairs for pair in mine), bool, len(links))


def label_eqtls(
    path: str | Path, variants: pd.DataFrame, peaks: pd.DataFrame, links: pd.DataFrame
) -> np.ndarray:
    """Say which links have a variant of their gene (BED's fourth column) in their peak."""
    rows, hits = overlapping(variants, peaks.reset_index(drop=True))
    require_overlap(path, len(np.unique(rows)), len(variants), "variants", peaks)
    pairs = set(zip(variants["name"].to_numpy()[rows], peaks.index[hits], strict=True))
    mine = zip(links["gene"], links["gene_name"], links["peak"], strict=True)
    found = ((gene, peak) in pairs or (name, peak) in pairs for gene, name, peak in mine)
    return np.fromiter(found, bool, len(links))
