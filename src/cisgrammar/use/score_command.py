"""`cisgrammar score`: predicted effects of variants against measured ones."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.inputs import examples
from cisgrammar.data.text_tables import read_text_table
from cisgrammar.evaluate.variant_scores import match_measured, score_effects

EXAMPLES = """examples:
  cisgrammar score effects.tsv eqtl.tsv --output scores.tsv

effects.tsv is what `cisgrammar variants` wrote. The table of what was measured has the columns
chrom, position (from 1), ref, alt, and one or both of
  effect  signed, of the alternative allele against the reference: of an eQTL or an MPRA
  causal  1 for variants that act, 0 for matched ones that do not
and, where a variant was measured in one cell type alone, label.
"""
NUMBERS = ("effect", "causal")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("effects", type=Path, help="TSV that `cisgrammar variants` wrote")
    parser.add_argument("measured", type=Path, help="TSV or CSV of measured variants")
    parser.add_argument("--output", type=Path, required=True, help="TSV to write")
    parser.add_argument("--seed", type=int, default=1, help="of the intervals (default: 1)")


def run(asked: argparse.Namespace) -> None:
    """Score, write, and say the scores."""
    measured = read_measured(asked.measured)
    matched = match_measured(read_table(asked.effects), measured)
    scores = score_effects(matched, seed=asked.seed)
    write_table(scores, asked.output)
    found = matched["variant"].nunique()
    print(f"{found:,} of {len(measured):,} measured variants were predicted: {asked.output}")
    for row in scores.itertuples():
        print(
            f"{row.label}: {row.score} {row.value:.2f} ({row.low:.2f} to {row.high:.2f}), "
            f"n = {row.n:,}, by chance {row.chance:.2f}"
        )


def read_measured(path: str | Path) -> pd.DataFrame:
    """Read a table of measured variants: names as text, effects as numbers.

    Raises
    ------
    InputError
        If it is not a table, or holds what is not a number.
    """
    table = read_text_table(path, "measured", "\t,").reset_index()
    problems = []
    for column in NUMBERS:
        if column not in table:
            continue
        numbers = pd.to_numeric(table[column].replace({"": None, "NA": None}), errors="coerce")
        wrong = table.loc[numbers.isna() & ~table[column].isin(["", "NA"]), column]
        if len(wrong):
            problems.append(f"{len(wrong):,} values of `{column}` ({examples(wrong.unique())})")
        table[column] = numbers
    if problems:
        raise InputError(
            f"{path}: {' and '.join(problems)} are not numbers. Write numbers with a decimal "
            "point; leave empty what was not measured."
        )
    return table
