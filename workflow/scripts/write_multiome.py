"""Write genes, open peaks and the activity of TFs in the same cells as one MuData."""

from cisgrammar.common.files import read_h5ad
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.for_scanpy import write_multiome

files = snakemake.input
with log_to(snakemake.log[0]):
    write_multiome(
        read_h5ad(files.expression),
        read_h5ad(files.accessibility),
        read_h5ad(files.cells),
        snakemake.output.multiome,
    )
