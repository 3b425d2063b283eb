"""What excites the neurons of a network: motifs that are known, and how motifs combine."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cisgrammar.common.files import read_table
from cisgrammar.summary.files import Files
from cisgrammar.summary.page import Section, number, table

N_ROWS = 10
NODE = ["layer", "neuron", "node"]
ANSWERS = ("at these gaps", "at others", "scrambled")
PROOF = (
    "The last three columns are the neuron's mean activation when the two are put into random "
    "sequences: at the gaps that were read, at others, and with their letters scrambled. Where the "
    "first is not the highest by far, do not believe the arrangement."
)


def section(files: Files, model: str) -> Section | None:
    """Count motifs that match known ones beside chance; show the commonest and the syntax."""
    if (path := files.get(f"{model}/neurons/dictionary.tsv")) is None:
        return None
    dictionary = read_table(path)
    sentences, tables = [], []
    if chance := files.get(f"{model}/neurons/chance.tsv"):
        for layer, rows in read_table(chance).groupby("layer"):
            by_kind = rows.set_index("motifs")
            if "dictionary" not in by_kind.index:
                continue
            mine = by_kind.loc["dictionary"]
            matching, n = int(mine["matching"]), int(mine["n"])
            text = f"Layer {layer}: {matching} of {n} motifs match a known one"
            if "shuffled columns" in by_kind.index:
                share = by_kind.loc["shuffled columns", "share"]
                text += f" ({number(100 * mine['share'], 0)}%; by chance {number(100 * share, 0)}%)"
            sentences.append(text + ".")
    known = dictionary[dictionary["known_motif"].notna() & (dictionary["known_motif"] != "")]
    columns = {
        "entry": "motif",
        "layer": "layer",
        "consensus": "consensus",
        "tf": "like that of",
        "n_neurons": "neurons",
    }
    if len(known):
        best = known.nlargest(N_ROWS, "n_neurons")[list(columns)].rename(columns=columns)
        tables.append(table(best, "Motifs that match known ones, the commonest first"))
    if syntax := files.get(f"{model}/neurons/syntax.tsv"):
        pairs = read_table(syntax).sort_values("n_sequences", ascending=False, kind="stable")
        caption = "Motifs that stand together"
        if spacing := files.get(f"{model}/neurons/spacing.tsv"):
            pairs = pairs.join(_answers(read_table(spacing)), on=NODE)
            pairs = pairs.iloc[_by_need_of_gap(pairs)]
            caption += f", first those whose gap matters most. {PROOF}"
        columns = {
            "node": "arrangement",
            "layer": "layer",
            "gap_least": "least gap (bp)",
            "gap_most": "most",
            "kind": "kind",
            "n_sequences": "sequences",
            **{answer: answer for answer in ANSWERS if answer in pairs},
        }
        if len(pairs):
            tables.append(table(pairs.head(N_ROWS)[list(columns)].rename(columns=columns), caption))
    more = {
        "Dictionary": f"{model}/figures/neuron_dictionary.svg",
        "Spacing": f"{model}/figures/neuron_spacing.svg",
        "Syntax": f"{model}/figures/neuron_syntax.svg",
    }
    in_short = f"Neurons. {sentences[-1]}" if sentences else ""
    return Section("Neurons", sentences, tables, more, in_short=in_short)


def _answers(curves: pd.DataFrame) -> pd.DataFrame:
    """Average what each pair excites: by node, the columns of :data:`ANSWERS`."""
    pair, expected = curves["arrangement"] == "pair", curves["expected"].astype(bool)
    scrambled = curves["arrangement"] == "scrambled"
    parts = (pair & expected, pair & ~expected, scrambled)
    means = [curves[part].groupby(NODE)["activation"].mean() for part in parts]
    return pd.concat(means, axis=1, keys=ANSWERS)


def _by_need_of_gap(pairs: pd.DataFrame) -> np.ndarray:
    """Order arrangements by the share of the answer above scrambled ones that other gaps lack."""
    within, others, scrambled = (pairs[answer] for answer in ANSWERS)
    share = (within - others) / (within - scrambled).where(within > scrambled)
    return np.argsort(-share.fillna(-np.inf).to_numpy(), kind="stable")
