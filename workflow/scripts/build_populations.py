"""Join mean expression of populations of cells, windows of genes, and half-life features."""

from cisgrammar.common.files import write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.counts.multiome import read_cells
from cisgrammar.data.gene_features import GenomeFiles
from cisgrammar.data.populations import build_populations

files, params, output = snakemake.input, snakemake.params, snakemake.output
with log_to(snakemake.log[0]):
    cells, _ = read_cells(
        files.counts,
        reading=params.counts | {"cell_table": files.cell_table or None},
        chosen=params.chosen,
        least=params.least,
    )
    genome = GenomeFiles(
        files.genome, files.work, files.annotation, files.cds or None, params.genome
    )
    data, tables = build_populations(cells, genome, settings=params.settings)
    write_h5ad(data, output.populations)
    for name, table in tables.items():
        write_table(table, output[name])
