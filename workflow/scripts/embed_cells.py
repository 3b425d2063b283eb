"""Filter cells, then embed them in components and UMAP."""

from cisgrammar.cells import embed_cells, filter_cells
from cisgrammar.counts import read_counts
from cisgrammar.files import write_h5ad
from cisgrammar.logs import log_to
from cisgrammar.seeds import derive_seed

settings = dict(snakemake.params.settings)
with log_to(snakemake.log[0]):
    counts = read_counts(snakemake.input.counts, **snakemake.params.counts)
    cells = filter_cells(
        counts, min_genes=settings.pop("min_genes"), min_cells=settings.pop("min_cells")
    )
    embed_cells(cells, **settings, seed=derive_seed(snakemake.params.seed, "embed_cells"))
    write_h5ad(cells, snakemake.output.cells)
