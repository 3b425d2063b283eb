"""Ask whether TF-MoDISco finds the motifs that were planted in simulated data.

For each label, bases of held-out sequences are explained and patterns are found in them. A planted
motif is found if half of the seqlets of a pattern, or more, touch its sites, and the pattern is
like it (Tomtom, q at most 0.05, among the planted motifs, planted pairs of motifs, and shuffled
ones). Printed are for each label the motifs that act there and by what pattern each is found, and
how many of all planted motifs are found in one label or more.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import measure
import pandas as pd
from planted_bases import draw

import cisgrammar
from cisgrammar.common.files import read_table
from cisgrammar.interpret.attributions import METHODS
from cisgrammar.interpret.contributions import Attributions
from cisgrammar.interpret.neurons.dictionary import filled_up
from cisgrammar.interpret.patterns import Pattern, find_patterns, place_seqlets
from cisgrammar.motifs.clusters import core_consensus
from cisgrammar.motifs.meme import Motif, read_meme
from cisgrammar.motifs.tomtom import compare
from cisgrammar.use.attribution_labels import draw_held_out
from cisgrammar.use.attributions import attribute

LIKE = 0.05  # q-value of Tomtom
ON_SITES = 0.5  # share of a pattern's seqlets


def match(
    patterns: list[Pattern], found: Attributions, sites: pd.DataFrame, known: list[Motif]
) -> pd.DataFrame:
    """Give each pattern the planted motif whose sites it touches, and the one that it is like.

    Returns
    -------
    pattern, seqlets, contribution, consensus, motif, on_sites (share of seqlets), like (the best
    match by Tomtom; empty if there is none).
    """
    placed = place_seqlets(patterns, found).reset_index(names="seqlet")
    hits = compare([pattern.motif for pattern in patterns], filled_up(known, 1), LIKE)
    names = {motif.name for motif in known}
    hits = hits[hits["Target_ID"].isin(names)].drop_duplicates("Query_ID")
    alike = dict(zip(hits["Query_ID"], hits["Target_ID"], strict=True))
    pairs = placed.merge(sites, left_on="sequence", right_on="gene", suffixes=("_p", ""))
    touching = (pairs["genome_start"] < pairs["end"]) & (pairs["genome_end"] > pairs["start_p"])
    counts = pairs[touching].groupby(["motif_p", "motif"])["seqlet"].nunique()
    rows = []
    for pattern in patterns:
        name, n = pattern.motif.name, len(pattern.seqlets)
        its = counts[name].sort_values(ascending=False) if name in counts.index else counts[:0]
        best, share = (its.index[0], its.iloc[0] / n) if len(its) else ("", 0.0)
        rows.append(
            (name, n, pattern.seqlets["contribution"].mean(), core_consensus(pattern.motif.matrix),
             best, share, alike.get(name, ""))
        )  # fmt: skip
    columns = ["pattern", "seqlets", "contribution", "consensus", "motif", "on_sites", "like"]
    return pd.DataFrame(rows, columns=columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help="folder of a model of simulated data")
    parser.add_argument("--by", help="column of the targets to average over")
    parser.add_argument("--labels", nargs="+", help="without it all of them")
    parser.add_argument("--method", choices=METHODS, default="deeplift")
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    measure.set_threads(asked.threads)
    truth, trained = asked.model.parent / "simulation/truth", cisgrammar.load(asked.model)
    names, _ = draw_held_out(trained, asked.sequences, asked.seed)
    motifs = read_meme(truth / "motifs.meme")
    pairs = read_meme(truth / "pairs.meme") if (truth / "pairs.meme").is_file() else []
    planted = set(read_table(truth / "sites.tsv")["motif"])
    seen: set[str] = set()
    for label in asked.labels or pd.unique(trained.labels(asked.by)):
        started = time.perf_counter()
        found, _ = attribute(
            trained, asked.method, by=asked.by, label=label, names=names, n_shuffled=1
        )
        explained = time.perf_counter()
        patterns = find_patterns(found.codes, found.hypothetical)
        ended = time.perf_counter()
        sites = draw(
            trained,
            truth,
            argparse.Namespace(seed=0, sequences=None, label=label, minus=None),
        )
        sites = sites[sites["gene"].isin(names)]
        table = match(patterns, found, sites, [*motifs, *pairs])
        good = table[(table["on_sites"] >= ON_SITES) & (table["like"] == table["motif"])]
        acting = sorted(set(sites.loc[sites["acts"], "motif"]))
        seen |= set(good["motif"])
        print(f"{label}: {explained - started:.0f} s and {ended - explained:.0f} s")
        print(table.to_string(index=False, float_format="{:.2f}".format))
        n = sum(motif in set(good["motif"]) for motif in acting)
        print(f"of {len(acting)} motifs that act in {label}, {n} are found; not found: "
              f"{', '.join(sorted(set(acting) - set(good['motif']))) or 'none'}\n")  # fmt: skip
    print(f"of {len(planted)} planted motifs {len(seen & planted)} are found; not found: "
          f"{', '.join(sorted(planted - seen)) or 'none'}")  # fmt: skip


if __name__ == "__main__":
    main()
