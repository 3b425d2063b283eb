"""Say what each base contributes to the predictions for labels, and find seqlets."""

from pathlib import Path

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.genome.regions import read_bed
from cisgrammar.motifs.databases import load_database
from cisgrammar.use.attribution_labels import (
    attribute_labels,
    count_sequences,
    draw_held_out,
    questions,
)
from cisgrammar.use.trained import load

files, params, out = snakemake.input, snakemake.params, snakemake.output
settings, not_drawn = dict(params.settings), 0
seed = derive_seed(params.seed, "attribute_bases")
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    trained = load(Path(files.models[0]).parents[1], device, n_folds=len(files.models))
    by = settings.pop("by") or ("cell_type" if "cell_type" in trained.dataset.obs else None)
    asked = questions(trained, by, settings.pop("labels"), settings.pop("differences"))
    most, names = settings.pop("max_sequences"), settings.pop("names")
    regions = read_bed(files.bed, "attributions.bed") if files.bed else None
    if regions is None and names is None:
        names, not_drawn = draw_held_out(trained, most, seed)
    known = load_database(params.database["source"], params.database["tf_names"]).motifs
    how = {"by": by, "names": names, "regions": regions, "seed": seed, **settings}
    folders = (Path(out.contributions), Path(out.tracks))
    labels, seqlets, left_out = attribute_labels(trained, asked, known, *folders, **how)
    write_table(labels, out.labels)
    write_table(seqlets, out.seqlets)
    write_table(left_out, out.left_out)
    write_table(count_sequences(labels["sequences"].max(), left_out, not_drawn), out.counts)
