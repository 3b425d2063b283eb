"""Compare the tables of two runs of one config, number by number, and print what differs most.

    python benchmarks/compare_results.py BEFORE AFTER [--renamed OLD=NEW ...]

BEFORE and AFTER are folders `results/NAME`. Tables (TSV), MEME and h5ad files are compared; a file
of one run alone is named. It ends with the largest difference of all, 0 where results are the same.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

KINDS = (".tsv", ".meme", ".h5ad", ".bed", ".json")
NOT_RESULTS = {"provenance.json"}  # commit, config


def files(folder: Path) -> dict[str, Path]:
    """List the files to compare by their path in the folder."""
    found = (path for path in sorted(folder.rglob("*")) if path.suffix in KINDS)
    return {
        path.relative_to(folder).as_posix(): path for path in found if path.name not in NOT_RESULTS
    }


def difference(one: Path, other: Path) -> float:
    """Give the largest difference of numbers; infinity where anything else differs."""
    if one.suffix == ".h5ad":
        return between_h5ad(ad.read_h5ad(one), ad.read_h5ad(other))
    if one.suffix == ".tsv":
        return between_tables(*(pd.read_csv(path, sep="\t", dtype=str) for path in (one, other)))
    return between_texts(one.read_text(), other.read_text())


def between_h5ad(one: ad.AnnData, other: ad.AnnData) -> float:
    """Compare names, tables and every matrix."""
    if not (one.obs_names.equals(other.obs_names) and one.var_names.equals(other.var_names)):
        return np.inf
    parts = [between_tables(one.obs, other.obs), between_tables(one.var, other.var)]
    if (one.X is None) != (other.X is None):
        return np.inf
    if one.X is not None:
        parts.append(between_arrays(one.X, other.X))
    for name in ("obsm", "varm", "layers"):
        mine, its = getattr(one, name), getattr(other, name)
        if set(mine) != set(its):
            return np.inf
        parts += [between_arrays(mine[key], its[key]) for key in mine]
    return max(parts)


def between_arrays(one: object, other: object) -> float:
    """Compare two matrices, dense or sparse."""
    dense = [x.toarray() if sparse.issparse(x) else np.asarray(x) for x in (one, other)]
    if dense[0].shape != dense[1].shape:
        return np.inf
    return between_numbers(*(x.astype(np.float64) for x in dense))


def between_tables(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Compare columns by name: as numbers where they are numbers, else as text."""
    if list(one) != list(other) or len(one) != len(other):
        return np.inf
    worst = 0.0
    for column in one:
        pair = [table[column].astype(str).to_numpy() for table in (one, other)]
        if (pair[0] == pair[1]).all():
            continue
        numbers = [pd.to_numeric(pd.Series(x), errors="coerce").to_numpy(float) for x in pair]
        worst = max(worst, between_numbers(*numbers))
    return worst


def between_numbers(one: np.ndarray, other: np.ndarray) -> float:
    """Give the largest absolute difference; what is no number must be none on both sides."""
    if (np.isnan(one) != np.isnan(other)).any():
        return np.inf
    return float(np.nanmax(np.abs(one - other), initial=0.0))


def between_texts(one: str, other: str) -> float:
    """Compare texts: numbers by their difference, the rest to the letter."""
    number = re.compile(r"-?\d+\.?\d*(?:[eE][-+]?\d+)?")
    if number.sub("#", one) != number.sub("#", other):
        return np.inf
    pair = [np.array(number.findall(text), dtype=float) for text in (one, other)]
    return between_numbers(*pair)


def main() -> int:
    """Print a line for each file that differs, and the largest difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--renamed", nargs="*", default=[], metavar="OLD=NEW")
    options = parser.parse_args()
    names = dict(pair.split("=") for pair in options.renamed)
    before = {names.get(name, name): path for name, path in files(options.before).items()}
    after = files(options.after)
    for name in sorted(set(before) ^ set(after)):
        print(f"only {'before' if name in before else 'after'}: {name}")
    both = sorted(set(before) & set(after))
    found = {name: difference(before[name], after[name]) for name in both}
    for name, size in sorted(found.items(), key=lambda item: -item[1]):
        if size:
            print(f"{size:g}\t{name}")
    worst = max(found.values(), default=0.0)
    print(f"{len(found)} files compared; largest difference {worst:g}")
    return int(worst > 0 or set(before) != set(after))


if __name__ == "__main__":
    sys.exit(main())
