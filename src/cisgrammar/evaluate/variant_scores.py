"""How predicted effects of variants agree with measured ones: eQTL, MPRA and their like."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.statistics import pearson
from cisgrammar.evaluate.link_scores import INTERVAL, areas

logger = logging.getLogger(__name__)

ALLELES = ["chrom", "position", "ref", "alt"]
MEASURED, CAUSAL, LABEL = "effect", "causal", "label"
LEAST = 3  # variants, below which nothing is scored


def match_measured(effects: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """Put measured effects beside predicted ones.

    Parameters
    ----------
    effects
        Predicted: chrom, position (from 1), ref, alt, label, effect, one row for each window and
        label; from :func:`cisgrammar.use.variant_effects.variant_effects`.
    measured
        chrom, position, ref, alt; ``effect`` with its sign (alternative minus reference) where it
        was measured, ``causal`` (1 or 0) where it is known; ``label`` where it belongs to one cell
        type alone. Alleles may be given the other way round: the sign is then turned.

    Returns
    -------
    A row for each measured variant and label that was predicted: variant (a number), label,
    predicted, measured, causal. Of several windows (genes) of a variant the largest effect counts.

    Raises
    ------
    InputError
        If columns are missing, a variant is measured twice for one label, or none was predicted.
    """
    if missing := {*ALLELES, LABEL, MEASURED} - set(effects):
        raise InputError(
            f"predicted effects lack the columns {', '.join(sorted(missing))}. Take the table that "
            "`cisgrammar variants` or the pipeline's section `variants` wrote."
        )
    _check(measured)
    table = measured.reset_index(drop=True).rename_axis("number").reset_index()
    keys = [*ALLELES, LABEL] if LABEL in table else ALLELES
    swapped = table.rename(columns={"ref": "alt", "alt": "ref"})
    if MEASURED in table:
        swapped = swapped.assign(**{MEASURED: -swapped[MEASURED]})
    both = pd.concat([table.assign(turned=False), swapped.assign(turned=True)], ignore_index=True)
    both = both.astype(dict.fromkeys(keys, str))
    found = effects.astype(dict.fromkeys([*ALLELES, LABEL], str))
    found = found.rename(columns={"effect": "predicted"})
    found = found.merge(both.rename(columns={MEASURED: "measured"}), on=keys, how="inner")
    if found.empty:
        raise InputError(
            f"measured variants: none of {len(table):,} is among the {len(effects):,} predicted "
            f"effects (measured: {_first(table)}; predicted: {_first(effects)}). Positions are "
            "counted from 1; chromosomes and alleles are compared as they are written."
        )
    lost = len(table) - found["number"].nunique()
    logger.info(
        "%d measured variants, %d of them without a predicted effect, alleles turned in %d",
        len(table),
        lost,
        found.loc[found["turned"], "number"].nunique(),
    )
    strongest = found["predicted"].abs().groupby([found["number"], found[LABEL]]).idxmax()
    columns = ["predicted", *({"measured", CAUSAL} & set(found))]
    rows = found.loc[strongest.to_numpy(), ["number", LABEL, *sorted(columns)]]
    return rows.rename(columns={"number": "variant"}).reset_index(drop=True)


def _check(measured: pd.DataFrame) -> None:
    problems = []
    if missing := [column for column in ALLELES if column not in measured]:
        problems.append(f"lack the columns {', '.join(missing)}")
    if MEASURED not in measured and CAUSAL not in measured:
        problems.append(f"have neither a column `{MEASURED}` nor `{CAUSAL}`, so nothing to compare")
    if CAUSAL in measured and not measured[CAUSAL].dropna().isin([0, 1]).all():
        strange = measured.loc[~measured[CAUSAL].isin([0, 1]), CAUSAL].dropna()
        problems.append(f"have {examples(strange.unique())} in `{CAUSAL}`, which is 1 or 0")
    keys = [key for key in [*ALLELES, LABEL] if key in measured]
    if not missing and (twice := int(measured.duplicated(keys).sum())):
        one = _first(measured[measured.duplicated(keys)])
        problems.append(f"stand {twice:,} times again (such as {one}); keep one row of each")
    if problems:
        raise InputError(f"measured variants {'; they '.join(problems)}.")


def _first(table: pd.DataFrame) -> str:
    return " ".join(table[ALLELES].iloc[0].astype(str)) if len(table) else "nothing"


def score_effects(matched: pd.DataFrame, *, n_bootstrap: int = 1000, seed: int = 1) -> pd.DataFrame:
    """Score predicted effects against measured ones, label by label.

    Parameters
    ----------
    matched
        From :func:`match_measured`.
    n_bootstrap, seed
        Draws of variants with replacement, for intervals.

    Returns
    -------
    label, score, value, low, high (95%), n (variants), chance. Scores: ``sign`` (share of right
    signs where the measured effect is not 0), ``pearson`` and ``spearman`` of signed effects,
    ``auprc`` and ``auroc`` of the size of the predicted effect for causal against other variants.
    A label with fewer than three variants is left out.
    """
    rows = []
    for label, part in matched.groupby(LABEL, sort=False):
        draw = np.random.default_rng(derive_seed(seed, "bootstrap of variants", str(label)))
        for score, (function, columns, chance) in _scores(part).items():
            values = part[columns].dropna().to_numpy(float)
            if score == "sign":
                values = values[values[:, 1] != 0]
            if len(values) < LEAST:
                continue
            places = draw.integers(len(values), size=(n_bootstrap, len(values)))
            drawn = np.array([function(values[place]) for place in places])
            drawn = drawn[np.isfinite(drawn)]
            low, high = np.percentile(drawn, INTERVAL) if len(drawn) else (np.nan, np.nan)
            rows.append((label, score, function(values), low, high, len(values), chance(values)))
    return pd.DataFrame(rows, columns=[LABEL, "score", "value", "low", "high", "n", "chance"])


_Function = Callable[[np.ndarray], float]


def _scores(part: pd.DataFrame) -> dict[str, tuple[_Function, list[str], _Function]]:
    scores: dict[str, tuple[_Function, list[str], _Function]] = {}
    if "measured" in part:
        pair = ["predicted", "measured"]
        scores["sign"] = (_sign, pair, lambda _: 0.5)
        scores["pearson"] = (_pearson, pair, lambda _: 0.0)
        scores["spearman"] = (_spearman, pair, lambda _: 0.0)
    if CAUSAL in part:
        pair = ["predicted", CAUSAL]
        scores["auprc"] = (lambda values: _areas(values)[0], pair, lambda v: v[:, 1].mean())
        scores["auroc"] = (lambda values: _areas(values)[1], pair, lambda _: 0.5)
    return scores


def _sign(values: np.ndarray) -> float:
    return float((np.sign(values[:, 0]) == np.sign(values[:, 1])).mean())


def _pearson(values: np.ndarray) -> float:
    return float(pearson(values[:, 0], values[:, 1]))


def _spearman(values: np.ndarray) -> float:
    ranks = pd.DataFrame(values).rank().to_numpy()
    return _pearson(ranks)


def _areas(values: np.ndarray) -> tuple[float, float]:
    once = np.ones((1, len(values)))
    auprc, auroc = areas(np.abs(values[:, 0]), values[:, 1].astype(bool), once)
    return float(auprc[0]), float(auroc[0])
