"""A row each variant, what was left out, and INFO."""

import pandas as pd

from cisgrammar.use.variant_summary import count_reasons, summarise, write_annotated

ROWS = [
    ("rs1", "G0", "01", 0.5, 0.2),
    ("rs1", "G0", "NA", -0.9, 0.01),
    ("rs1", "G1", "01", 0.1, 0.9),
    ("rs2", "G1", "01", 2.0, 0.03),
    ("rs2", "G1", "NA", 0.0, 1.0),
]


def effects():
    table = pd.DataFrame(ROWS, columns=["variant", "sequence", "label", "effect", "p"])
    places = table["variant"].map({"rs1": 5, "rs2": 9})
    return table.assign(chrom="chr1", position=places, ref="A", alt="C", q=table["p"])


def motifs():
    rows = [
        ("rs1", "M1", "TF1;TF2", "gained", float("nan"), 1e-5),
        ("rs1", "M2", "", "gained", float("nan"), 1e-6),
        ("rs1", "M3", "TF3", "lost", 1e-6, float("nan")),
        ("rs1", "M4", "TF3", "lost", 1e-5, float("nan")),
    ]
    table = pd.DataFrame(rows, columns=["variant", "motif", "tfs", "change", "p_ref", "p_alt"])
    return table.assign(chrom="chr1", position=5, ref="A", alt="C")


def test_the_largest_effect_of_each_variant_with_its_motifs():
    found = summarise(effects(), motifs())
    assert found["variant"].tolist() == ["rs2", "rs1"]
    assert found["label"].tolist() == ["01", "NA"] and found["effect"].tolist() == [2, -0.9]
    assert found["windows"].tolist() == [1, 2]
    assert found["gained"].tolist() == ["", "M2;TF1+TF2"]
    assert found["lost"].tolist() == ["", "TF3"]
    assert "gained" not in summarise(effects())


def test_many_motifs_are_cut_short():
    many = pd.concat([motifs().iloc[[0]].assign(tfs=f"TF{i}") for i in range(13)])
    gained = summarise(effects(), many)["gained"].iloc[1]
    assert gained.startswith("TF0;TF1;") and gained.endswith(";and 3 more")


def test_reasons_are_counted_once_a_variant():
    skipped = pd.DataFrame(
        {"variant": ["a", "a", "b", "c"], "chrom": "chr1", "start": 1, "ref": "A", "alt": "C",
         "reason": ["over", "over", "over", "none"]}
    )  # fmt: skip
    counts = count_reasons(effects().iloc[:1], skipped)
    assert counts.to_numpy().tolist() == [["has effects", 1, "rs1"], ["over", 2, "a"],
                                          ["none", 1, "c"]]  # fmt: skip


def test_nothing_at_all_is_summed_up_too():
    assert summarise(effects().iloc[:0], motifs().iloc[:0]).empty
    empty = pd.DataFrame(columns=["variant", "chrom", "start", "ref", "alt", "reason"])
    assert count_reasons(effects().iloc[:0], empty)["variants"].tolist() == [0]


def test_info_has_the_row_of_the_summary(tmp_path):
    (tmp_path / "v.vcf").write_text("#CHROM\tPOS\tID\tREF\tALT\nchr1\t5\trs1\tA\tC\n")
    write_annotated(tmp_path / "v.vcf", tmp_path / "o.vcf", summarise(effects(), motifs()), {})
    info = (tmp_path / "o.vcf").read_text().splitlines()[-1].split("\t")[7]
    assert info == (
        "CG_EFFECT=-0.9;CG_LABEL=NA;CG_SEQ=G0;CG_P=0.01;CG_Q=0.01;CG_GAINED=M2|TF1+TF2;CG_LOST=TF3"
    )
