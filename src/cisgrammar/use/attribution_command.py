"""`cisgrammar attributions`: what bases contribute, on files, without Snakemake."""

from __future__ import annotations

import argparse
from pathlib import Path

from cisgrammar.common.files import write_table
from cisgrammar.genome.regions import read_bed
from cisgrammar.interpret.attributions import METHODS, REFERENCES
from cisgrammar.interpret.contributions import write_contributions
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.meme import Motif, read_meme
from cisgrammar.use.attribution_figures import draw
from cisgrammar.use.attribution_files import (
    chromosome_sizes,
    seqlet_table,
    write_bigwig,
    write_seqlets,
)
from cisgrammar.use.attributions import attribute
from cisgrammar.use.trained import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("model", type=Path, help="folder of a model, such as results/demo/scover")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--regions", type=Path, help="BED of places to explain")
    which.add_argument("--names", nargs="+", help="genes or peaks to explain")
    parser.add_argument("--label", help="whose prediction is explained; without it the mean of all")
    parser.add_argument("--minus", help="label whose prediction is subtracted")
    parser.add_argument("--method", choices=METHODS, default="deeplift", help="default: deeplift")
    parser.add_argument(
        "--motifs", help="MEME file of motifs that name seqlets, or jaspar:CORE:vertebrates:2024"
    )
    parser.add_argument(
        "--references", type=int, default=REFERENCES, help=f"shuffles, default: {REFERENCES}"
    )
    parser.add_argument("--figures", type=int, default=5, help="sequences to draw, default: 5")
    parser.add_argument("--seed", type=int, default=0, help="of the shuffles")
    parser.add_argument(
        "--all-folds",
        action="store_true",
        help="ask all folds, also those that trained on the sequence",
    )
    parser.set_defaults(run=run)


def run(asked: argparse.Namespace) -> None:
    """Write contributions, track, seqlets and figures to a folder."""
    trained = load(asked.model)
    found, left_out = attribute(
        trained,
        asked.method,
        by=asked.by,
        label=asked.label,
        minus=asked.minus,
        names=asked.names,
        regions=read_bed(asked.regions) if asked.regions else None,
        all_folds=asked.all_folds,
        n_references=asked.references,
        seed=asked.seed,
    )
    motifs = _motifs(asked.motifs) if asked.motifs else []
    folder: Path = asked.output
    folder.mkdir(parents=True, exist_ok=True)
    write_contributions(found, folder / "contributions.h5")
    sizes = chromosome_sizes(asked.model.parent, found.windows)
    write_bigwig(found, sizes, folder / "contributions.bw")
    seqlets = seqlet_table(found, motifs)
    write_table(seqlets, folder / "seqlets.tsv")
    write_seqlets(seqlets, folder / "seqlets.bed")
    drawn = draw(found, seqlets, asked.figures, folder / "figures")
    named = int(seqlets["motif"].notna().sum())
    print(f"{len(found.windows):,} sequences, {found.title}: {folder}/contributions.h5 and .bw")
    print(f"{len(seqlets):,} seqlets, {named:,} with a motif's name: {folder}/seqlets.bed")
    print(f"{len(drawn):,} figures: {folder}/figures")
    for reason, n in left_out["reason"].value_counts(sort=False).items():
        print(f"{n:,} left out: {reason}")


def _motifs(source: str) -> list[Motif]:
    return load_database(source).motifs if source.startswith("jaspar:") else read_meme(source)
