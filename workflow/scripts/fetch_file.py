"""Fetch a file from the web, with what is known of it checked."""

from cisgrammar.downloads import fetch
from cisgrammar.logs import log_to
from cisgrammar.sources import Source

with log_to(snakemake.log[0]):
    fetch(Source(**snakemake.params.source), snakemake.output[0])
