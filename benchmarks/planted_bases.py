"""Ask whether contributions of bases show the planted sites of simulated data, method by method.

For held-out sequences and one label, or the difference of two: the share of acting sites that
stand out (their bases contribute more than 95% of the stretches as wide that touch no site; by
chance 0.05), the share that has a seqlet, the share of seqlets that lie on an acting site and on
any site, and of the latter the share that is named by its motif. Seconds are those of the
contributions, with those of the shuffled sequences that seqlets are held against.

With --ism-beside-tangermeme the time of all substitutions of some windows is taken, here and by
tangermeme's `saturation_mutagenesis` on the same network, and the two are compared. tangermeme is
no dependency: install it apart.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import measure
import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from planted_variants import held_out_sites, planted_signs

import cisgrammar
from cisgrammar.common.files import read_table
from cisgrammar.data.split import Inputs
from cisgrammar.evaluate.population_truth import FOUND, rank_sites
from cisgrammar.interpret.attributions import METHODS, one_hot, substitutions
from cisgrammar.models.base import members_of
from cisgrammar.models.contribution_rules import Gradients
from cisgrammar.motifs.meme import Motif, read_meme
from cisgrammar.use.attribution_files import seqlet_table
from cisgrammar.use.attributions import Attributions, attribute, contrast
from cisgrammar.use.trained import Trained


def draw(trained: Trained, truth: Path, asked: argparse.Namespace) -> pd.DataFrame:
    """List planted sites of sequences drawn at random: gene, motif, start, ..., acts.

    A site acts if it moves the label, or one of the two labels and not the other.
    """
    sites = held_out_sites(trained, truth).rename(columns={"peak": "gene"})
    rng = np.random.default_rng(asked.seed)
    genes = rng.permutation(pd.unique(sites["gene"]))[: asked.sequences]
    sites = sites[sites["gene"].isin(genes)]
    activities = read_table(truth / "activities.tsv", index_col="motif")
    signs = planted_signs(activities, sites["motif"], asked.label)
    if asked.minus is not None:
        signs = signs - planted_signs(activities, sites["motif"], asked.minus)
    windows, width = trained.windows.iloc[sites["row"]], sites["sequence"].str.len().to_numpy()
    minus = (windows["strand"] == "-").to_numpy()
    first = np.where(minus, trained.length - sites["start"] - width, sites["start"])
    first = first + windows["start"].to_numpy()
    return sites.assign(acts=signs != 0, genome_start=first, genome_end=first + width)


def compare(found: Attributions, sites: pd.DataFrame, motifs: list[Motif]) -> str:
    """Hold contributions against planted sites."""
    obs = pd.DataFrame({"gene": np.repeat(found.windows.index, found.codes.shape[1])})
    obs.index = obs.index.astype(str)
    ranks = rank_sites(AnnData(found.contributions.reshape(-1, 1), obs), sites)
    acting = sites.merge(ranks, on=["gene", "motif", "start"])
    seqlets = seqlet_table(found, motifs)
    pairs = acting.reset_index().merge(
        seqlets.reset_index(), left_on="gene", right_on="sequence", suffixes=("", "_seqlet")
    )
    shared = np.minimum(pairs["genome_end"], pairs["end"]) - np.maximum(
        pairs["genome_start"], pairs["start_seqlet"]
    )
    on_any = pairs[shared > 0]
    acting, pairs = acting[acting["acts"]], on_any[on_any["acts"]]
    on_acting, on_some = (
        each["index_seqlet"].nunique() / max(len(seqlets), 1) for each in (pairs, on_any)
    )
    return (
        f"{len(acting):,} sites\tstand out {(acting['rank'] > FOUND).mean():.2f}\t"
        f"in a seqlet {pairs['index'].nunique() / len(acting):.2f}\t"
        f"{len(seqlets):,} seqlets\ton these sites {on_acting:.2f}\ton any site {on_some:.2f}\t"
        f"named by its motif {(on_any['motif'] == on_any['motif_seqlet']).mean():.2f}"
    )


class Spelled(torch.nn.Module):
    """A network that reads bases ``(batch, 4, length)``, as other packages expect them."""

    def __init__(self, model: torch.nn.Module, inputs: Inputs, weights: np.ndarray) -> None:
        super().__init__()
        self.model, self.inputs = model, inputs
        self.share = torch.tensor(weights, dtype=torch.float32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict one number for each sequence."""
        rows = self.inputs.rows(torch.zeros(len(x), dtype=torch.int64))
        each = self.model.predict_bases(x.transpose(1, 2), rows, Gradients())
        return (each @ self.share)[:, None]


def beside_tangermeme(trained: Trained, names: list[str], weights: np.ndarray) -> None:
    """Take the time of all substitutions of some windows, here and by tangermeme."""
    from tangermeme.saturation_mutagenesis import saturation_mutagenesis

    seconds, apart = {"cisgrammar": 0.0, "tangermeme": 0.0}, 0.0
    for row in trained.dataset.var_names.get_indexer(names):
        fold = int(trained.test_fold[row])
        codes = np.asarray(trained.dataset.varm["codes"][[row]])
        inputs = trained.inputs(fold, codes, np.array([row]))
        model = members_of(trained.models[fold].eval())[0]
        started = time.perf_counter()
        own = substitutions(model, inputs, weights)
        seconds["cisgrammar"] += time.perf_counter() - started
        started = time.perf_counter()
        _, other = saturation_mutagenesis(
            Spelled(model, inputs, weights),
            one_hot(inputs.codes).transpose(1, 2),
            device="cpu",
            raw_outputs=True,
        )[:2]
        seconds["tangermeme"] += time.perf_counter() - started
        other = other.reshape(own.shape).numpy()
        other -= other.mean(axis=1, keepdims=True)
        apart = max(apart, float(np.abs(own - other).max()))
    each = ", ".join(f"{name} {taken / len(names):.2f} s" for name, taken in seconds.items())
    print(f"all substitutions of a window of {trained.length:,} bases, one network: {each}; "
          f"largest difference {apart:.1e}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help="folder of a model of simulated data")
    parser.add_argument("--by", help="column of the targets to average over")
    parser.add_argument("--label", required=True)
    parser.add_argument("--minus")
    parser.add_argument("--sequences", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ism-beside-tangermeme", type=int, default=0, metavar="WINDOWS")
    asked = parser.parse_args()
    measure.set_threads(asked.threads)
    truth = asked.model.parent / "simulation/truth"
    trained = cisgrammar.load(asked.model)
    motifs = read_meme(truth / "motifs.meme")
    sites = draw(trained, truth, asked)
    names = pd.unique(sites["gene"]).tolist()
    labels = {"by": asked.by, "label": asked.label, "minus": asked.minus}
    if asked.ism_beside_tangermeme:
        weights = contrast(trained, asked.by, asked.label, asked.minus)
        beside_tangermeme(trained, names[: asked.ism_beside_tangermeme], weights)
    for method in METHODS:
        attribute(trained, method, names=names[:1], n_shuffled=1, **labels)  # compiles
        started = time.perf_counter()
        found, _ = attribute(trained, method, names=names, **labels)
        seconds = time.perf_counter() - started
        print(f"{found.title}\t{method}\t{seconds:.0f} s\t{compare(found, sites, motifs)}")


if __name__ == "__main__":
    main()
