"""Draw the windows whose bases contribute most to each label."""

from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.contributions import read_contributions
from cisgrammar.use.attribution_figures import draw

files, n = snakemake.input, snakemake.params.n_figures["n_figures"]
folder = Path(snakemake.output.folder)
with log_to(snakemake.log[0]):
    folder.mkdir(parents=True, exist_ok=True)
    seqlets = read_table(files.seqlets)
    for row in read_table(files.labels).itertuples():
        found = read_contributions(Path(files.contributions) / f"{row.file}.h5")
        its = seqlets[(seqlets["label"] == row.label) & (seqlets["minus"] == row.minus)]
        draw(found, its, n, folder, before=f"{row.file}_")
