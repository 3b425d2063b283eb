"""Take a file out of an archive that was fetched."""

from cisgrammar.common.logs import log_to
from cisgrammar.downloads.fetching import unpack
from cisgrammar.downloads.sources import Source

with log_to(snakemake.log[0]):
    unpack(Source(**snakemake.params.source), snakemake.input.archive, snakemake.output[0])
