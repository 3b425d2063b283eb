"""The command `cisgrammar`: a trained model asked on files, without Snakemake."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import write_table
from cisgrammar.use import attribution_command, score_command, variant_command
from cisgrammar.use.trained import load

EXAMPLES = """examples:
  cisgrammar predict results/demo/scover promoters.fa --by cell_type --output predictions.tsv
  cisgrammar variants results/demo/scover variants.vcf.gz --by cell_type --output effects.tsv
  cisgrammar attributions results/demo/scover --by cell_type --label NK --output bases
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; problems of the input are told in words, and make the exit status 1."""
    asked = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        asked.run(asked)
    except InputError as error:
        print(f"cisgrammar: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cisgrammar",
        description="Ask a trained model of cisgrammar.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    predict = commands.add_parser("predict", help="predict sequences of a FASTA")
    predict.add_argument("model", type=Path, help="folder of a model, such as results/demo/scover")
    predict.add_argument("fasta", type=Path, help="sequences as long as those of the model")
    predict.set_defaults(run=_predict)
    variants = commands.add_parser(
        "variants",
        help="predict what the variants of a VCF or a table change",
        epilog=variant_command.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    variants.add_argument("model", type=Path, help="folder of a model, such as results/demo/scover")
    variant_command.add_options(variants)
    variants.set_defaults(run=variant_command.run)
    score = commands.add_parser(
        "score",
        help="compare effects of variants with measured ones",
        epilog=score_command.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    score_command.add_options(score)
    score.set_defaults(run=score_command.run)
    bases = commands.add_parser("attributions", help="say what each base contributes")
    attribution_command.add_arguments(bases)
    for command, output in ((predict, "TSV"), (variants, "TSV"), (bases, "folder")):
        command.add_argument("--by", help="column of the targets to average over: cell_type")
        command.add_argument("--output", type=Path, required=True, help=f"{output} to write")
    return parser


def _predict(asked: argparse.Namespace) -> None:
    predictions = load(asked.model).predict(asked.fasta, by=asked.by)
    table = predictions.T.to_df().rename_axis("sequence").reset_index()
    write_table(table, asked.output)
    print(f"{predictions.n_vars:,} sequences, {predictions.n_obs:,} columns: {asked.output}")
