"""A config that names no models: hybrid is trained beside scover, and compared with it."""

from cisgrammar.common.files import read_table


def test_hybrid_joins_a_run_of_scover(finished_copy):
    run, config = finished_copy, finished_copy.config
    del config["models"]
    run.configure(config | {"hybrid": {"network": {"filters": 4}, "training": {"members": 2}}})
    said = run.snakemake("--cores", "2")
    assert "First page, for a browser: results/tiny/summary.html" in said
    assert "embed_cells" not in run.rules_run()
    scores = read_table(run.results / "hybrid/evaluation.tsv")
    assert scores["fold"].astype(str).tolist() == ["0", "1", "mean", "pooled"]
    assert {"hybrid", "scover"} <= set(read_table(run.results / "models_compared.tsv")["model"])
    assert set(read_table(run.results / "hybrid/kmers.tsv")["part"]) == {"levels", "differences"}
    page = (run.results / "summary.html").read_text(encoding="utf-8")
    assert "Does hybrid predict?" in page and "Does scover predict?" in page
    assert "First page" not in run.snakemake("--cores", "2")  # nothing was to be done
