"""The first page says of tables what they hold, and leaves out what is not of this run."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from cisgrammar.common.files import write_h5ad, write_table
from cisgrammar.common.notes import TO_BE_FOUND
from cisgrammar.interpret.processes import NO_SETS
from cisgrammar.plots.cell_types import cell_type_table
from cisgrammar.summary import (
    data,
    links,
    models,
    motifs,
    neurons,
    peaks,
    pools,
    populations,
    variants,
)
from cisgrammar.summary.files import Files
from cisgrammar.summary.sections import sections


@pytest.fixture
def run(tmp_path):
    """Write tables of a run, and give what of them belongs to it."""

    def write(**tables):
        paths = []
        for name, table in tables.items():
            path = tmp_path / name.replace("__", "/")
            path = path.with_suffix(".h5ad" if isinstance(table, AnnData) else ".tsv")
            path.parent.mkdir(parents=True, exist_ok=True)
            (write_h5ad if isinstance(table, AnnData) else write_table)(table, path)
            paths.append(path)
        return Files(tmp_path, paths)

    return write


def evaluation(r2):
    folds = ["0", "mean", "pooled"]  # as one fold has it
    return pd.DataFrame({"fold": folds, "r2": r2, "doubly_centred_r": 0.5})


def differences(**means):
    rows = [("r2", m, 2, mean, 0.1, 0.05, 0.15, 0.5) for m, mean in means.items()]
    columns = ["score", "method", "n_folds", "mean", "difference", "low", "high", "p_value"]
    return pd.DataFrame(rows, columns=columns)


def test_nothing_is_said_of_files_that_are_not_of_the_run(run, tmp_path):
    run(scover__evaluation=evaluation(0.5))
    assert sections(Files(tmp_path, []), ["scover", "hybrid", "scbasset", "scxpresso"]) == []


NEAR, FAR = "Its motifs can be read, but other methods predict", "its motifs mean little."


@pytest.mark.parametrize(
    ("r2", "word", "advice"),
    [
        (0.5, "above", "0.70."),
        (0.4, "not above", NEAR),
        (0.3, "not above", NEAR),
        (0.2, "not above", FAR),
    ],
)
def test_a_model_of_pools_stands_beside_the_best_simple_method(run, r2, word, advice):
    files = run(
        scover__evaluation=evaluation(r2),
        scover__paired_differences=differences(
            gc=0.2, kmer_ridge=0.4, permuted_pools=0.9, without_SP1=0.9, only_aligned=0.9
        ),
        noise_ceiling=pd.DataFrame({"r2": [0.7]}),
    )
    section = pools.section(files, "scover")
    assert f"R² {r2:.2f}, {word} the best simple method (k-mer ridge: 0.40)" in section.sentences[0]
    assert "the noise ceiling is 0.70" in section.sentences[0]
    assert section.sentences[0].removesuffix(" better.").endswith(advice)
    assert "0.10 (0.05 to 0.15)" in section.tables[0]


@pytest.mark.parametrize("chosen", [["scover", "hybrid"], ["hybrid", "scover"]])
def test_models_stand_in_the_order_of_the_config(run, chosen):
    files = run(scover__evaluation=evaluation(0.5), hybrid__evaluation=evaluation(0.6))
    shown = [section.title for section in sections(files, chosen) if "predict?" in section.title]
    assert shown == [f"Does {model} predict?" for model in chosen]


def test_without_comparison_the_page_says_so(run):
    section = pools.section(run(scover__evaluation=evaluation(0.5)), "scover")
    assert "No simple method was compared" in section.sentences[0]


def test_a_model_without_any_score_is_told(run):
    section = pools.section(
        run(scover__evaluation=evaluation(np.nan).assign(doubly_centred_r=np.nan)), "scover"
    )
    assert section.sentences == [
        "scover has no score: its predictions, or what was measured, do not vary."
    ]
    assert section.tables == []


def test_a_level_without_any_r_is_told(run):
    rows = [("class", "all", method, np.nan) for method in ("scxpresso", "features")]
    table = pd.DataFrame(rows, columns=["level", "genes", "method", "r"])
    section = populations.section(run(scxpresso__population_summary=table), "scxpresso")
    assert section.sentences == ["class: r of scXpresso is not defined: a side does not vary."]


@pytest.mark.parametrize(
    "kmers, words",
    [
        (0.75, ("0.80, 0.05 above a simple method (mean over cells)", "0.70, 0.05 below a simple")),
        (0.799, ("0.80, as much as a simple method (mean over cells)", "0.70, 0.10 below")),
    ],
)
def test_peaks_and_embeddings(run, kmers, words):
    files = run(
        scbasset__held_out=pd.DataFrame(
            {
                "labels": np.repeat(["measured", "kmer_ridge", "shuffled"], 2),
                "per": ["cell", "peak"] * 3,
                "auroc": [0.8, 0.7, kmers, kmers, 0.5, 0.5],
            }
        ),
        scbasset__embedding_metrics=pd.DataFrame(
            {"embedding": ["scbasset", "lsi"], "ari": [1, 0.9]}
        ),
    )
    section = peaks.section(files, "scbasset")
    assert all(part in section.sentences[0] for part in words)
    assert "latent semantic indexing" in section.tables[0]


def activities_of(run, rank, sd):
    names = pd.Index(["M1", "M2", "M3"], name="motif")
    known = pd.DataFrame({"name": ["SP1", "ELK1", "REST"], "rank": rank, "sd": sd}, names)
    z = pd.DataFrame([[3.0, -3.0], [1.0, -0.5], [-2.0, 2.0]], names, ["A", "01"])
    return motifs.activities(
        run(
            scbasset__tf_activity=AnnData(np.zeros((2, 3), np.float32), var=known),
            scbasset__tf_activity_by_cell_type=z.reset_index(),
        ),
        "scbasset",
    )


def test_tfs_are_those_of_the_largest_effect_whatever_their_z_scores(run):
    section = activities_of(run, rank=[np.nan, 2, 1], sd=[0.001, 0.2, 0.5])
    assert section.in_short == "Transcription factors of scBasset: the strongest are REST, ELK1."
    shown = section.tables[0]
    assert "SP1" not in shown and shown.index("REST") < shown.index("ELK1")
    assert "−1.0" in shown and "0.2" in shown and "3.0" not in shown  # z times sd


def test_without_any_effect_there_is_no_section_on_tfs(run):
    assert activities_of(run, rank=[np.nan] * 3, sd=[0.0] * 3) is None


def test_populations_level_by_level(run):
    rows = [("class", "all", "scxpresso", 0.9), ("class", "all", "features", 0.3)]
    rows += [("class", "all", "tissue", 0.95), ("class", "expressed", "features", 0.99)]
    rows += [("01", "all", "scxpresso", 0.2), ("01", "all", "features", 0.3)]
    table = pd.DataFrame(rows, columns=["level", "genes", "method", "r"])
    section = populations.section(run(scxpresso__population_summary=table), "scxpresso")
    assert section.sentences == [
        "class: scXpresso predicts held-out genes with r 0.90, above the best simple method "
        "(features of genes alone: 0.30).",
        "01: scXpresso predicts held-out genes with r 0.20, not above the best simple method "
        "(features of genes alone: 0.30).",
    ]


def test_genes_whose_features_are_known_stand_apart_where_features_are_missing(run):
    rows = [("class", "all", "scxpresso", 0.9), ("class", "all", "flags", 0.6)]
    rows += [("class", "known_features", "scxpresso", 0.2), ("class", "all", "kmer_ridge", 0.4)]
    rows += [("class", "known_features", "flags", np.nan)]
    rows += [("class", "known_features", "kmer_ridge", 0.3)]
    table = pd.DataFrame(rows, columns=["level", "genes", "method", "r"])
    section = populations.section(run(scxpresso__population_summary=table), "scxpresso")
    assert section.sentences == [
        "class: scXpresso predicts held-out genes with r 0.90, above the best simple method "
        "(which features are missing: 0.60); those whose features are all known with 0.20, "
        "not above the best simple method (k-mer ridge: 0.30)."
    ]
    assert section.tables[0].count("features all known") == 1
    table.loc[table["method"] == "flags", "r"] = np.nan  # none is missing
    (sentence,) = populations.section(
        run(scxpresso__population_summary=table), "scxpresso"
    ).sentences
    assert "known" not in sentence


def families_of(run, consistent=(True, True, False), **others):
    names = [f"family{i}" for i in range(3)]
    var = pd.DataFrame(
        {"n_folds": 2, "reproducible": True, "consistent": consistent, "example": "0_1"},
        index=names,
    )
    var.index.name = "family"
    return run(
        scover__family_influence=AnnData(
            np.zeros((2, 3)), var=var, uns={"logos": {"0_1": np.full((4, 5), 0.25)}}
        ),
        scover__family_effect_by_cell_type=pd.DataFrame(
            {"family": names, "NA": [0.1, -0.3, 9], "B": [0.0, 0.2, 9]}
        ),
        scover__regulators_summary=pd.DataFrame(
            {"family": names, "tf": ["SP1", None, "X"], "rho": [0.5, np.nan, 1]}
        ),
        **others,
    )


def test_families_that_folds_agree_about_stand_by_their_strongest_effect(run):
    section = motifs.families(families_of(run), "scover")
    page = section.tables[0]
    assert section.sentences[0].startswith("2 of 3 motif families")
    assert page.index("family1") < page.index("family0")
    assert "family2" not in page
    assert "SP1" in page and ">NA</th>" in page


def test_one_fold_says_nothing_of_agreement_and_given_targets_have_no_unit(run):
    checks = pd.DataFrame(
        [("targets", "2", "ok", ""), ("sequences", "9 of 4 bases", "ok", "")],
        columns=["check", "found", "status", "note"],
    )
    one = evaluation(0.5)
    families = motifs.families(families_of(run, scover__evaluation=one, preflight=checks), "scover")
    assert "There is one fold" in families.sentences[0] and "agree" not in families.sentences[0]
    assert "the prediction moves" in families.tables[0] and "log10" not in families.tables[0]
    score = pools.section(
        run(scover__evaluation=one, scover__paired_differences=differences(gc=0.2)), "scover"
    )
    assert "the one fold" in score.tables[0]
    dataset = AnnData(np.zeros((2, 9), np.float32))
    given = data.section(run(preflight=checks, dataset=dataset), ["scover"])
    assert "2 targets x 9 sequences" in given.tables[0] and "9 of 4 bases" in given.tables[0]


def test_no_family_gives_a_sentence_and_no_table(run):
    section = motifs.families(families_of(run, (False, False, False)), "scover")
    assert section.sentences[0].startswith("0 of 3")
    assert section.tables == []


def test_of_many_cell_types_those_that_differ_most_are_shown(run):
    names = [f"type{i:02}" for i in range(30)]
    effects = pd.DataFrame([np.arange(30.0), np.zeros(30)], columns=names)
    kept = motifs._cut(effects, run())
    assert kept.shape[1] == motifs.N_CELL_TYPES
    assert list(kept) == sorted(kept) and {"type00", "type29"} <= set(kept)


def test_cell_types_stand_in_the_order_of_figures(run):
    effects = pd.DataFrame(np.eye(3), columns=["A", "B", "C"])
    files = run(cell_types=cell_type_table(["A", "B", "C", "absent"], ["C", "absent", "A"]))
    assert list(motifs._cut(effects, files)) == ["C", "A", "B"]


def test_where_no_model_predicts_none_is_said_to_be_best(run):
    names = ["sequences", "score", "model", "value", "low", "high"]
    names += ["behind", "behind_low", "behind_high", "n_sequences", "n_cell_types", "note"]
    rows = [
        ("peaks", "within cell types", "scover", -0.1, -0.3, 0.1, 0.2, -0.1, 0.4, 60, 3, ""),
        ("peaks", "within cell types", "kmer_ridge", 0.1, -0.1, 0.3, 0, 0, 0, 60, 3, ""),
    ]
    section = models.section(run(models_compared=pd.DataFrame(rows, columns=names)), ["scover"])
    assert section.sentences == [
        "Within cell types, on peaks: no model predicts clearly; the highest r is 0.10 "
        "(k-mer ridge)."
    ]


def test_a_family_without_a_known_tf_is_named_alone():
    shown = pd.DataFrame({"family": ["a", "b", "c"], "likely TF": ["T", "", None]})
    assert motifs._names(shown) == "the strongest are a (T), b, c"


def test_models_side_by_side(run):
    rows = [
        ("genes", "within cell types", "scover", 0.5, 0.4, 0.6, 0.1, 0.05, 0.15, 50, 3, ""),
        ("genes", "within cell types", "hybrid", 0.6, 0.5, 0.7, 0, 0, 0, 50, 3, ""),
        ("genes", "within cell types", "kmer_ridge", 0.59, 0.5, 0.7, 0.01, -0.01, 0.03, 50, 3, ""),
        ("genes", None, "scxpresso", *[np.nan] * 8, "no target is called as a cell type"),
    ]
    names = ["sequences", "score", "model", "value", "low", "high"]
    names += ["behind", "behind_low", "behind_high", "n_sequences", "n_cell_types", "note"]
    files = run(models_compared=pd.DataFrame(rows, columns=names))
    section = models.section(files, ["scover", "hybrid", "scxpresso"])
    assert section.sentences == [
        "Within cell types, on genes: hybrid predicts best (r 0.60); k-mer ridge cannot be told "
        "from it.",
        "scXpresso could not be compared on genes: no target is called as a cell type.",
    ]
    assert "0.40 to 0.60" in section.tables[0]
    families = pd.DataFrame(
        {"family": ["f1", "f1", "f2", "f2"], "model": ["a", "b"] * 2, "agreement": [0.9, 0.9, 0, 0]}
    )
    files = run(models_compared=pd.DataFrame(rows, columns=names), motifs_compared=families)
    said = models.section(files, ["scover", "hybrid", "scxpresso"]).sentences[-1]
    assert said.startswith("2 families of motifs have effects by two models or more.")
    assert "The models agree on 1 of them (mean r over cell types of 0.80 or more): f1." in said


def test_links_are_counted_by_what_they_are_called(run):
    table = pd.DataFrame(
        {
            "gene_name": ["a", "b", "c"],
            "peak": ["p", "q", "r"],
            "distance": [-1000, 5, 20],
            "sign": "+",
            "best_cell_type": "01",
            "link_score": [0.1, 0.9, 0.5],
            "fdr": 0.1,
            "call": ["", "strong", "strong"],
        }
    )
    scores = pd.DataFrame(
        {
            "by_truth": "planted",
            "method": ["model", "abc", "no_distance", "highest_activity"],
            "distance_window": "all",
            "auprc": [0.4, 0.5, 0.9, 0.8],
        }
    )
    files = run(scbasset__links__model__links=table, scbasset__links__evaluation=scores)
    section = links.section(files, "scbasset")
    assert "Of 3 pairs of a gene and a peak nearby, 2 (strong) are called" in section.sentences[0]
    assert "0.40, not above the best simple score (abc: 0.50)" in section.sentences[1]
    assert section.tables[0].index(">b<") < section.tables[0].index(">c<")


def test_neurons_beside_chance(run):
    files = run(
        scbasset__neurons__dictionary=pd.DataFrame(
            {
                "layer": 1,
                "entry": ["m0", "m1"],
                "consensus": ["ACG", "TTT"],
                "known_motif": ["MA1", None],
                "tf": ["SP1", None],
                "n_neurons": [3, 4],
            }
        ),
        scbasset__neurons__chance=pd.DataFrame(
            {
                "layer": 1,
                "motifs": ["dictionary", "shuffled columns"],
                "n": [2, 100],
                "matching": [1, 4],
                "share": [0.5, 0.04],
            }
        ),
    )
    section = neurons.section(files, "scbasset")
    assert section.sentences == ["Layer 1: 1 of 2 motifs match a known one (50%; by chance 4%)."]
    assert "SP1" in section.tables[0] and "TTT" not in section.tables[0]


def test_arrangements_stand_beside_what_the_network_answers_to_them(run):
    nodes = [
        ("(m2+ [1] m3+)", 7, 2.5, 3.5, 7.5),
        ("(m4+ [2] m5+)", 6, 9.5, 8.5, 0.5),
        ("(m0+ [4] m1+)", 5, 9.0, 1.0, 0.25),
    ]
    curves = [
        (1, 2, node, arrangement, gap, activation, gap == 4)
        for node, _, inside, outside, scrambled in nodes
        for arrangement, gap, activation in (
            ("pair", 4, inside),
            ("pair", 5, outside),
            ("pair", 6, outside),
            ("scrambled", 4, scrambled),
            ("swapped", 4, 99.0),
        )
    ]
    columns = ["layer", "neuron", "node", "arrangement", "gap", "activation", "expected"]
    files = run(
        scbasset__neurons__dictionary=pd.DataFrame(
            columns=["layer", "entry", "consensus", "known_motif", "tf", "n_neurons"]
        ),
        scbasset__neurons__syntax=pd.DataFrame(
            {
                "layer": 1,
                "neuron": 2,
                "node": [node for node, *_ in nodes],
                "gap_least": 4,
                "gap_most": 4,
                "kind": "hard",
                "n_sequences": [n for _, n, *_ in nodes],
            }
        ),
        scbasset__neurons__spacing=pd.DataFrame(curves, columns=columns),
    )
    (shown,) = neurons.section(files, "scbasset").tables
    for _, _, *answers in nodes:
        assert all(f">{value:.2f}<" in shown for value in answers)
    assert "do not believe" in shown and "99" not in shown
    places = [shown.index(f"[{gap}]") for gap in (4, 2, 1)]  # however many sequences show them
    assert places == sorted(places)


def test_what_went_in_and_warnings(run):
    findings = pd.DataFrame(
        {
            "check": ["counts", "sequences"],
            "found": ["h5ad: 5 cells x 7 genes", "7 promoters"],
            "status": ["ok", "warning"],
            "note": ["", "few"],
        }
    )
    about = ["markers", "gene sets"]
    notes = pd.DataFrame({"about": about, "note": ["none found", NO_SETS]})
    files = run(preflight=findings, scover__notes=notes, dataset=AnnData(np.zeros((4, 7))))
    first = data.section(files, ["scover", "hybrid"])
    read = "scover, hybrid: 4 pools of cells x 7 sequences"
    assert first.in_short == f"What went in: h5ad: 5 cells x 7 genes; {read}."
    assert "4 pools of cells x 7 sequences" in first.tables[0]
    assert "read by scover, hybrid" in first.tables[0]
    last = data.warnings(files, ["scover"])
    assert last.is_warning and last.in_short.startswith("2 warnings")  # gene sets are a choice
    assert "7 promoters: few" in last.tables[0] and "none found" in last.tables[0]


def test_clusters_are_counted_once_they_are_found(run):
    findings = pd.DataFrame(
        {"check": ["cell types"], "found": [TO_BE_FOUND], "status": ["ok"], "note": [""]}
    )
    before = data.section(run(preflight=findings), [])
    assert before.in_short == f"What went in: cell types: {TO_BE_FOUND}."
    types = cell_type_table([f"cluster {i}" for i in range(5)])
    after = data.section(run(preflight=findings, cell_types=types), [])
    found = "5 clusters of the cells (cluster 0, cluster 1, cluster 2, ...)"
    assert after.in_short == f"What went in: cell types: {found}."


def test_variants_with_their_largest_effects_and_what_was_left_out(run):
    files = run(
        scover__variants__summary=pd.DataFrame(
            {
                "variant": ["rs1", "rs2"],
                "gene_name": ["GATA1", "NA"],
                "label": ["T cell", "01"],
                "effect": [-0.0031, 0.002],
                "q": [0.04, 0.9],
                "gained": ["", ""],
                "lost": ["SP1;KLF4", ""],
            }
        ),
        scover__variants__counts=pd.DataFrame(
            {"reason": ["has effects", "in no window"], "variants": [2, 7], "example": ["rs1", "a"]}
        ),
    )
    section = variants.section(files, "scover")
    assert "2 variants lie in windows" in section.sentences[0]
    assert "In 1 of them the largest effect exceeds" in section.sentences[0]
    assert section.sentences[1] == "Left out: 7 in no window."
    assert "-0.0031" in section.tables[0] and ">SP1<" in section.tables[0]
    assert variants.section(files, "hybrid") is None
