"""Choose and filter cells, then embed them in components and UMAP."""

import numba

from cisgrammar.cells.embedding import embed_cells
from cisgrammar.common.files import write_h5ad
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.counts.multiome import read_cells

files, params = snakemake.input, snakemake.params
settings, peaks = dict(params.settings), params.peaks
with log_to(snakemake.log[0]):
    numba.set_num_threads(min(snakemake.threads, numba.config.NUMBA_NUM_THREADS))
    cells, expression = read_cells(
        files.counts,
        reading=params.counts | {"cell_table": files.cell_table or None},
        chosen={key: settings.pop(key) for key in ("keep", "drop")},
        least={key: settings.pop(key) for key in ("min_genes", "min_cells")},
        peaks=peaks,
        peak_files=files.peaks or None,
        peak_bed=files.peak_bed or None,
    )
    base = expression if expression is not None and peaks["pool_on"] == "rna" else cells
    seed = derive_seed(params.seed, "embed_cells")
    embed_cells(base, **settings, seed=seed, peaks=peaks is not None and base is cells)
    cells.obsm.update(base.obsm)
    cells.obs["cell_type"] = base.obs["cell_type"]
    write_h5ad(cells, snakemake.output.cells)
    if expression is not None:
        write_h5ad(expression, snakemake.output.expression)
