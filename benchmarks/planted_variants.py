"""Ask a trained model to tell variants that break planted sites from others.

For planted sites of held-out sequences, drawn at random, the base that costs the site's log odds
most is replaced; the match is a random substitution in the same sequence, outside of all sites.
Printed are, for each label, the area under precision and recall of the effect's size, by chance a
half, the share of broken sites whose effect has the planted sign, and with `--random` the shares of
broken sites and of their matches with q of at most 0.1. Where a motif does nothing it is left out.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import measure
import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

import cisgrammar
from cisgrammar.common.files import read_table
from cisgrammar.genome.fasta import open_fasta
from cisgrammar.genome.sequence import BASES, COMPLEMENT
from cisgrammar.motifs.meme import read_meme
from cisgrammar.use.trained import Trained
from cisgrammar.use.variant_effects import variant_effects

LEAST_ACTIVITY = 0.2  # in ln expression; what does less is left out


def draw(trained: Trained, truth: Path, n_sites: int, seed: int) -> pd.DataFrame:
    """Draw variants in pairs: variant, chrom, start, ref, alt, sequence, motif, breaks."""
    windows, codes = trained.windows, np.asarray(trained.dataset.varm["codes"])
    motifs = {motif.name: motif.matrix for motif in read_meme(truth / "motifs.meme")}
    sites = held_out_sites(trained, truth)
    taken = np.zeros(codes.shape, dtype=bool)
    for site in sites.itertuples():
        taken[site.row, site.start : site.start + len(site.sequence)] = True
    rng, rows = np.random.default_rng(seed), []
    for site in sites.sample(min(n_sites, len(sites)), random_state=seed).itertuples():
        place, base = worst_change(motifs[site.motif], site.strand, codes[site.row], site.start)
        free = int(rng.choice(np.flatnonzero(~taken[site.row])))
        other = int((codes[site.row, free] + rng.integers(1, 4)) % 4)
        for at, to, breaks in ((place, base, True), (free, other, False)):
            rows.append(
                (*on_genome(windows.iloc[site.row], at, codes[site.row, at], to, trained.length),
                 windows.index[site.row], site.motif, breaks)
            )  # fmt: skip
    columns = ["chrom", "start", "ref", "alt", "sequence", "motif", "breaks"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(variant=[f"v{i}" for i in range(len(table))])


def held_out_sites(trained: Trained, truth: Path) -> pd.DataFrame:
    """List planted sites of sequences that a fold has tested: motif, start, strand, row, ..."""
    windows, sites = trained.windows, read_table(truth / "sites.tsv")
    name = "gene" if "gene" in sites else "peak"
    sites = sites.assign(row=windows.index.get_indexer(sites[name]))
    if name == "peak":  # there, places are those of the genome
        sites = sites.assign(start=sites["start"] - windows["start"].to_numpy()[sites["row"]])
    widths = sites["sequence"].str.len()
    inside = (sites["start"] >= 0) & (sites["start"] + widths <= trained.length)
    return sites[(sites["row"] >= 0) & inside & (trained.test_fold[sites["row"]] >= 0)]


def worst_change(matrix: np.ndarray, strand: str, codes: np.ndarray, start: int) -> tuple[int, int]:
    """Find place and base of the substitution that lowers a site's log odds most."""
    matrix = matrix[::-1, ::-1] if strand == "-" else matrix
    odds = np.log2(np.maximum(matrix, 1e-3) / 0.25)
    here = codes[start : start + odds.shape[1]]
    lost = odds[here, np.arange(len(here))] - odds
    base, place = np.unravel_index(lost.argmax(), lost.shape)
    return start + int(place), int(base)


def on_genome(
    window: pd.Series, at: int, ref: int, alt: int, length: int
) -> tuple[str, int, str, str]:
    """Give chrom, start and alleles along the plus strand."""
    if window["strand"] == "-":
        at, ref, alt = length - 1 - at, COMPLEMENT[ref], COMPLEMENT[alt]
    return str(window["chrom"]), int(window["start"]) + at, BASES[ref], BASES[alt]


def planted_signs(activities: pd.DataFrame, motifs: pd.Series, label: str) -> np.ndarray:
    """Say for each site whether it raises (1), lowers (-1) or leaves (0) what a label has."""
    if "class" in activities:  # of populations: all raise, in their class
        name, its = label.rpartition("/")[2], activities.loc[motifs, "class"].fillna("")
        everywhere = (its == "").to_numpy() | label.startswith("all_cells")
        return (everywhere | (its == name).to_numpy()).astype(int)
    if label not in activities:
        return np.zeros(len(motifs), dtype=int)
    activity = activities.loc[motifs, label].to_numpy()
    return np.where(np.abs(activity) >= LEAST_ACTIVITY, np.sign(activity), 0).astype(int)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help="folder of a model of simulated data")
    parser.add_argument("--sites", type=int, default=3000)
    parser.add_argument("--by", help="column of the targets to average over")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--random", type=int, default=0, help="random variants of each kind")
    parser.add_argument("--by-motif", action="store_true", help="score each motif by itself too")
    parser.add_argument("--one-strand", action="store_true", help="read peaks on one strand")
    parser.add_argument("--shifts", type=int, nargs="+", default=[], help="moved windows, in bases")
    asked = parser.parse_args()
    measure.set_threads(asked.threads)
    truth = asked.model.parent / "simulation/truth"
    trained = cisgrammar.load(asked.model)
    drawn = draw(trained, truth, asked.sites, asked.seed)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as work:
        effects, left_out = variant_effects(
            trained,
            drawn[["variant", "chrom", "start", "ref", "alt"]],
            by=asked.by,
            genome=open_fasta(asked.model.parent / "simulation/genome.fa", work),
            both_strands=not asked.one_strand,
            shifts=asked.shifts,
            n_random=asked.random,
        )
    seconds = time.perf_counter() - started
    print(f"{len(drawn):,} variants, {seconds:.1f} s; {len(left_out):,} left out")
    merged = effects.merge(drawn[["variant", "sequence", "motif", "breaks"]])
    activities = read_table(truth / "activities.tsv", index_col="motif")
    for label, its in merged.groupby("label", sort=False):
        signs = planted_signs(activities, its["motif"], str(label))
        acting, sign = its[signs != 0], signs[signs != 0]
        if acting.empty:
            continue
        breaks, effect = acting["breaks"].to_numpy(), acting["effect"].to_numpy()
        right = (np.sign(effect) == -sign)[breaks].mean()
        area = average_precision_score(breaks, np.abs(effect))
        said = f"{label}\t{len(acting):,} variants\tAUPRC {area:.3f}\tsign right {right:.3f}"
        if asked.random:
            clear = (acting["q"] <= 0.1).to_numpy()
            said += f"\tq <= 0.1: {clear[breaks].mean():.3f}, matches {clear[~breaks].mean():.3f}"
        print(said)
        for motif, rows in acting.groupby("motif") if asked.by_motif else ():
            area = average_precision_score(rows["breaks"], rows["effect"].abs())
            size = rows.groupby("breaks")["effect"].agg(lambda x: x.abs().median())
            activity = activities.loc[motif, label] if label in activities else float("nan")
            print(f"  {motif}\t{len(rows):,} variants\tAUPRC {area:.3f}\tactivity {activity:.2f}\t"
                  f"median effect {size[True]:.3f}, of matches {size[False]:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
