"""Take a file out of an archive that was fetched."""

from cisgrammar.downloads import unpack
from cisgrammar.logs import log_to
from cisgrammar.sources import Source

with log_to(snakemake.log[0]):
    unpack(Source(**snakemake.params.source), snakemake.input.archive, snakemake.output[0])
