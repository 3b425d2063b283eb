#!/bin/bash
# Run the default config, make its report when something is newer, and say where things are.
set -eu
cores=$1
results=results/demo
report=$results/report.html
if snakemake --cores "$cores" --dry-run --quiet all 2>&1 | grep -q "Nothing to be done" &&
    [ -f $report ] && [ -z "$(find workflow/report -newer $report)" ]; then
    echo "Nothing to be done: the demo's results are complete and up to date."
else
    snakemake --cores "$cores"
    snakemake --report $report
fi
echo
echo "Report:                     $report  (open it in a browser)"
echo "Comparison with the truth:  $results/scover/truth/summary.tsv"
echo "Scores on held-out genes:   $results/scover/evaluation.tsv"
echo "Motifs (MEME):              $results/scover/motifs.meme"
echo "Influence by cell type:     $results/scover/influence_by_cell_type.tsv"
