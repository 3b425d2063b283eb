"""Known motifs that a variant makes or breaks: the site with one allele against the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pyfaidx import Fasta

from cisgrammar.genome.alleles import trimmed
from cisgrammar.genome.sequence import N, encode
from cisgrammar.motifs.databases import Database
from cisgrammar.motifs.fimo import hits
from cisgrammar.motifs.meme import Motif
from cisgrammar.use.trained import Trained
from cisgrammar.use.variant_summary import ALLELE
from cisgrammar.use.variant_windows import Surroundings

AT_ONCE = 1000  # variants whose hits are held
CLEARLY = 10  # times the p-value of the one allele that of the other must be
MOTIF_COLUMNS = [*ALLELE, "motif", "tfs", "change", "strand", "p_ref", "p_alt"]


def motif_changes(
    trained: Trained,
    effects: pd.DataFrame,
    database: Database,
    *,
    threshold: float = 1e-4,
    genome: Fasta | None = None,
) -> pd.DataFrame:
    """Find known motifs that one allele has at its site and the other has not.

    Parameters
    ----------
    trained
        From :func:`cisgrammar.load`.
    effects
        From :func:`cisgrammar.use.variant_effects.variant_effects`.
    database
        Known motifs.
    threshold
        Largest p-value of a hit (FIMO's) with the allele that has the motif. With the other
        allele the best hit there is above it and :data:`CLEARLY` times as large, so that what
        little moves a hit over the threshold does not count.
    genome
        From which sites at the edges of windows are read on.

    Returns
    -------
    variant, chrom, position, ref, alt, motif, tfs, change (``gained`` or ``lost``), strand,
    p_ref and p_alt: of the best hit that covers a base that differs, or spans the place of
    what is absent; NaN above :data:`CLEARLY` times the threshold. A row for each variant and
    motif.
    """
    alleles = effects.drop_duplicates(ALLELE)[[*ALLELE, "sequence"]].reset_index(drop=True)
    surroundings = Surroundings(trained, genome)
    rows = trained.dataset.var_names.get_indexer(alleles["sequence"])
    margin = max((motif.matrix.shape[1] for motif in database.motifs), default=1) - 1
    tables = [
        _changes(
            alleles.iloc[first : first + AT_ONCE],
            surroundings.read(rows[first : first + AT_ONCE], margin),
            trained.windows["start"].to_numpy()[rows[first : first + AT_ONCE]],
            margin,
            database.motifs,
            threshold,
        )
        for first in range(0, len(alleles), AT_ONCE)
    ]
    found = pd.concat(tables) if tables else pd.DataFrame(columns=MOTIF_COLUMNS)
    tfs = database.table.set_index("motif")["tfs"]
    return found.assign(tfs=found["motif"].map(tfs))[MOTIF_COLUMNS].reset_index(drop=True)


def _changes(
    alleles: pd.DataFrame,
    context: np.ndarray,
    starts: np.ndarray,
    margin: int,
    motifs: Sequence[Motif],
    threshold: float,
) -> pd.DataFrame:
    differing = [
        trimmed(position - 1, ref, alt)
        for position, ref, alt in alleles[["position", "ref", "alt"]].itertuples(index=False)
    ]
    starts_there = [
        margin + place - start for (place, _, _), start in zip(differing, starts, strict=True)
    ]
    best = []
    for of_reference in (True, False):
        letters = [was if of_reference else becomes for _, was, becomes in differing]
        sites = [
            np.concatenate(
                [window[at - margin : at], encode(own), window[at + len(was) :][:margin]]
            )
            for own, (_, was, _), at, window in zip(
                letters, differing, starts_there, context, strict=True
            )
        ]
        widths = np.array([len(own) for own in letters])
        best.append(_best_hits(sites, widths, margin, motifs, threshold * CLEARLY))
    both = best[0].join(best[1], how="outer", lsuffix="_ref", rsuffix="_alt").reset_index()
    p_ref, p_alt = both["p_ref"].fillna(1), both["p_alt"].fillna(1)
    lost = (p_ref <= threshold) & (p_alt > threshold) & (p_alt >= CLEARLY * p_ref)
    gained = (p_alt <= threshold) & (p_ref > threshold) & (p_ref >= CLEARLY * p_alt)
    kept = both.assign(lost=lost)[lost | gained].reset_index(drop=True)
    its = alleles[ALLELE].iloc[kept["site"].to_numpy(int)].reset_index(drop=True)
    lost = kept["lost"].to_numpy(bool)
    change = np.where(lost, "lost", "gained")
    strand = kept["strand_ref"].where(lost, kept["strand_alt"])
    return pd.concat([its, kept[["motif", "p_ref", "p_alt"]]], axis=1).assign(
        change=change, strand=strand
    )


def _best_hits(
    sites: Sequence[np.ndarray],
    widths: np.ndarray,
    margin: int,
    motifs: Sequence[Motif],
    threshold: float,
) -> pd.DataFrame:
    """Find the best hit of each motif that covers what differs: p and strand, by site and motif."""
    codes = np.full((len(sites), max(map(len, sites))), N, dtype=np.uint8)
    for row, site in zip(codes, sites, strict=True):
        row[: len(site)] = site
    found = hits(codes, list(map(str, range(len(sites)))), motifs, threshold)
    site = found["sequence_name"].to_numpy(int)
    # from 0; what is absent has no base, and is spanned by its neighbours
    absent = widths[site] == 0
    first, end = margin - absent, margin + widths[site] + absent
    covers = np.where(
        absent,
        (found["start"] - 1 <= first) & (found["stop"] >= end),
        (found["start"] - 1 < end) & (found["stop"] > first),
    )
    table = pd.DataFrame(
        {"site": site, "motif": found["motif_id"], "p": found["p-value"], "strand": found["strand"]}
    )[covers]
    return table.sort_values("p", kind="stable").drop_duplicates(["site", "motif"]).set_index(
        ["site", "motif"]
    )  # fmt: skip
