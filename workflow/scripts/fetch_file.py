"""Fetch a file from the web, with what is known of it checked."""

from cisgrammar.common.logs import log_to
from cisgrammar.downloads.fetching import fetch
from cisgrammar.downloads.sources import Source

with log_to(snakemake.log[0]):
    fetch(Source(**snakemake.params.source), snakemake.output[0])
