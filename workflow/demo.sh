#!/bin/bash
# Run a config of a built-in data set, make its report when something is newer, and say where things are.
set -eu
cores=$1
config=${2:-config/config.yaml}
results=results/$(sed -n 's/^name: *//p' "$config")
report=$results/report.html
if snakemake --cores "$cores" --configfile "$config" --dry-run --quiet all 2>&1 | grep -q "Nothing to be done" &&
    [ -f "$report" ] && [ -z "$(find workflow/report -newer "$report")" ]; then
    echo "Nothing to be done: the demo's results are complete and up to date."
else
    snakemake --cores "$cores" --configfile "$config"
    snakemake --configfile "$config" --report "$report"
fi

say() {
    if [ -e "$results/$2" ]; then
        printf "%-32s%s\n" "$1:" "$results/$2"
    fi
}

echo
say "First page, for a browser" summary.html
say "Report, for a browser" report.html
say "Comparison with the truth" scover/truth/summary.tsv
say "Comparison with the truth" scbasset/truth/summary.tsv
say "Scores on held-out genes" scover/evaluation.tsv
say "Motifs (MEME)" scover/motifs.meme
say "Influence by cell type" scover/influence_by_cell_type.tsv
say "Scores on held-out peaks" scbasset/held_out.tsv
say "Embeddings of cells, compared" scbasset/embedding_metrics.tsv
say "Cells by scBasset" scbasset/fold0/embedding.h5ad
say "TF activity by cell type" scbasset/tf_activity_by_cell_type.tsv
say "Comparison with the truth" scxpresso/truth/populations.tsv
say "Scores of populations" scxpresso/population_summary.tsv
say "Neurons: motifs and syntax" scbasset/neurons/neurons.tsv
say "Links of peaks and genes" scbasset/links/model/links.tsv
say "Links against the truth" scbasset/links/evaluation.tsv
say "Importance of bases" scbasset/mutagenesis/logos
