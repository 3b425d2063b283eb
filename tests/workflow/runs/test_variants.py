"""The section `variants` on a finished run: effects, annotated VCF, figures, and the command."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest
from conftest import Run

from cisgrammar.genome.sequence import BASES
from cisgrammar.use.command import main
from cisgrammar.use.trained import load
from cisgrammar.use.variant_places import plus_strand

CONTIGS = "##fileformat=VCFv4.2\n##contig=<ID=chr1>\n##contig=<ID=chr2>\n"


def some_variants(run: Run, path) -> int:
    """Write a VCF with an allele in each of 30 windows, one in none, and a symbolic one."""
    trained = load(run.results / "scover")
    codes = trained.dataset.varm["codes"]
    lines = ["chr1\t1\tnowhere\tN\tA\t.\t.\t.", "chr1\t9\tdeleted\tA\t<DEL>\t.\t.\t."]
    for row, window in enumerate(trained.windows.iloc[:30].itertuples()):
        base = int(plus_strand(codes[row], window.strand)[50])
        place = f"{window.chrom}\t{window.start + 51}\trs{row}"
        lines.append(f"{place}\t{BASES[base]}\t{BASES[(base + 1) % 4]}\t.\t.\tDB")
    path.write_text(CONTIGS + "\t".join(HEAD) + "\n" + "\n".join(lines) + "\n")
    return len(lines)


HEAD = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]


def table(run: Run, name: str) -> pd.DataFrame:
    path = run.results / f"scover/variants/{name}.tsv"
    return pd.read_csv(path, sep="\t", keep_default_na=False, na_values={"spread": ["NA"]})


def test_variants_are_predicted_annotated_and_drawn(finished_copy, tiny_config, tmp_path):
    run = finished_copy
    n = some_variants(run, tmp_path / "mine.vcf")
    section = {"vcf": str(tmp_path / "mine.vcf"), "n_random": 20, "shifts": [-1, 1]}
    run.configure({**tiny_config, "variants": section})
    expected = {"predict_variants", "annotate_variants", "plot_variants", "write_provenance"}
    expected |= {"write_summary"}
    assert set(run.plan()) == expected
    run.snakemake("--cores", "2")
    effects, counts = table(run, "effects"), table(run, "counts")
    reasons = dict(zip(counts["reason"], counts["variants"], strict=True))
    assert reasons["has effects"] == 30 and reasons["in no window"] == 1
    assert reasons["no letters: a symbolic allele or a breakend"] == 1
    assert set(effects["label"]) == {"A", "B", "C"}
    assert effects["p"].between(0.0476, 1).all() and np.isfinite(effects["effect"]).all()
    said = gzip.decompress((run.results / "scover/variants/variants.vcf.gz").read_bytes())
    lines = said.decode().splitlines()
    assert [line for line in lines if line.startswith("##contig")] == CONTIGS.splitlines()[1:]
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert len(rows) == n and sum("CG_EFFECT=" in row[7] for row in rows) == 30
    assert all(row[7].startswith("DB;CG_EFFECT=") for row in rows[2:])
    for figure in ("variant_effects", "variant_overview"):
        assert (run.results / f"scover/figures/{figure}.png").stat().st_size > 5000
    assert run.plan() == {}
    # the command gives what the pipeline gave
    asked = ["variants", str(run.results / "scover"), str(tmp_path / "mine.vcf"), "--random", "0"]
    asked += ["--genome", str(run.results / "simulation/genome.fa"), "--shifts", "-1", "1"]
    assert main([*asked, "--by", "cell_type", "--output", str(tmp_path / "effects.tsv")]) == 0
    own = pd.read_csv(tmp_path / "effects.tsv", sep="\t")
    np.testing.assert_allclose(own["effect"], effects["effect"], rtol=1e-4, atol=1e-6)
    # what changes the figure alone asks no model again
    run.configure({**tiny_config, "variants": section | {"n_shown": 5}})
    assert "predict_variants" not in run.plan()


@pytest.mark.parametrize(
    "change, words",
    [
        ({"models": ["scbasset"]}, "is not among `models`"),
        ({"vcf": "absent.vcf"}, "no such file"),
        ({"shift": [1]}, "shifts"),
    ],
)
def test_what_the_section_lacks_is_told_before_anything_runs(
    new_run, tiny_config, tmp_path, change, words
):
    (tmp_path / "mine.vcf").write_text("#CHROM\tPOS\tID\tREF\tALT\nchr1\t1\t.\tA\tC\n")
    section = {"vcf": str(tmp_path / "mine.vcf")} | change
    assert words in new_run({**tiny_config, "variants": section}).snakemake("-n", fails=True)
