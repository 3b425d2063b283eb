"""Put known motifs into shuffled peaks, and read what that does in each cell."""

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.genome.tss import read_tss
from cisgrammar.interpret.activity_scores import add_ranks, compare_with_expression, score_activity
from cisgrammar.interpret.influence import mean_by
from cisgrammar.models.checkpoints import load_model
from cisgrammar.motifs.databases import choose_motifs, load_database

files, params, settings = snakemake.input, snakemake.params, snakemake.params.settings
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    model = load_model(files.model).to(device)
    known = load_database(params.database["source"], params.database["tf_names"])
    activity = score_activity(
        model,
        read_h5ad(files.accessibility, backed="r"),
        choose_motifs(known, settings["motifs"]),
        n_backgrounds=settings["n_backgrounds"],
        change_of=settings["change_of"],
        seed=derive_seed(params.seed, "tf_activity"),
    )
    counts = read_h5ad(files.expression) if files.expression else None
    tss = (
        read_tss(files.annotation, **params.genome)
        if files.expression and files.annotation
        else None
    )
    tests = compare_with_expression(activity, counts, tss)
    add_ranks(activity, tests)
    write_table(tests, snakemake.output.expression)
    write_table(mean_by(activity), snakemake.output.by_cell_type, index=True)
    write_h5ad(activity, snakemake.output.activity)
