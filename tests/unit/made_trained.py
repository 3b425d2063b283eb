"""The results of a tiny trained model, as the pipeline leaves them: two folds, two strands."""

import numpy as np
import pandas as pd
import torch
from anndata import AnnData

from cisgrammar.common.files import write_h5ad, write_table
from cisgrammar.genome.sequence import reverse_complement
from cisgrammar.models.checkpoints import save_model
from cisgrammar.models.scover import Scover

LENGTH, GENES = 40, 6
CODES = np.random.default_rng(0).integers(0, 4, 400, dtype=np.uint8)  # chr1
STARTS = [0, 20, 100, 160, 220, 300]  # the first two windows overlap
STRANDS = ["+", "-", "+", "-", "+", "-"]


def some_scover(seed: int) -> Scover:
    model = Scover(n_targets=4, filters=3, width=6)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(generator=generator)
    return model


def made_results(folder):
    """Write data, folds and models below ``folder/x``; give the model's folder."""
    windows = [CODES[start : start + LENGTH] for start in STARTS]
    codes = [
        reverse_complement(window) if strand == "-" else window
        for window, strand in zip(windows, STRANDS, strict=True)
    ]
    names = [f"G{i}" for i in range(GENES)]
    var = pd.DataFrame(
        {
            "gene_name": [f"name{i}" for i in range(GENES)],
            "chrom": "chr1",
            "start": STARTS,
            "end": [start + LENGTH for start in STARTS],
            "strand": STRANDS,
        },
        names,
    )
    obs = pd.DataFrame({"cell_type": ["01", "01", "NA", "NA"]}, [f"pool{i}" for i in range(4)])
    dataset = AnnData(np.zeros((4, GENES), np.float32), obs, var, varm={"codes": np.stack(codes)})
    root = folder / "x"
    write_h5ad(dataset, root / "dataset.h5ad")
    halves = {
        "fold0": ["test"] * 3 + ["train"] * 2 + ["validation"],
        "fold1": ["train"] * 2 + ["validation"] + ["test"] * 2 + ["train"],
    }
    folds = pd.DataFrame({"sequence": names, "chrom": "chr1", **halves})
    write_table(folds, root / "folds.tsv")
    for fold in (0, 1):
        save_model(some_scover(fold), root / f"scover/fold{fold}/model.pt")
    return root / "scover"
