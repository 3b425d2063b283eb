"""Effects of variants, on windows whose altered sequences are written down by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from made_trained import CODES, LENGTH, STARTS, made_results, some_scover

import cisgrammar
from cisgrammar.common.errors import InputError
from cisgrammar.data.split import Inputs
from cisgrammar.genome.alleles import reverse_complement_letters
from cisgrammar.genome.sequence import BASES, decode, encode, reverse_complement
from cisgrammar.models.base import Ensemble
from cisgrammar.use.command import main
from cisgrammar.use.variant_effects import variant_effects

GENOME = decode(CODES)


def variants(*rows):
    table = pd.DataFrame(rows, columns=["chrom", "start", "ref", "alt"])
    return table.assign(variant=[f"v{i}" for i in range(len(table))])


def other(start):
    return BASES[(CODES[start] + 1) % 4]


def predicted(fold, plus, strand):
    codes = reverse_complement(encode(plus)) if strand == "-" else encode(plus)
    with torch.no_grad():
        return some_scover(fold)(Inputs(torch.from_numpy(codes[None].copy()))).numpy()[0]


@pytest.fixture
def trained(tmp_path):
    return cisgrammar.load(made_results(tmp_path))


def test_one_variant_in_two_windows_on_both_strands(trained):
    effects, skipped = variant_effects(
        trained, variants(("chr1", 30, GENOME[30], other(30))), by="cell_type"
    )
    assert effects["sequence"].tolist() == ["G0", "G0", "G1", "G1"]
    assert effects["label"].tolist() == ["01", "NA"] * 2
    assert effects["offset"].tolist() == [30, 30, 29, 29]  # along the strand
    assert effects["position"].tolist() == [31] * 4
    assert skipped.empty
    altered = GENOME[:30] + other(30) + GENOME[31:]
    for gene, strand in ((0, "+"), (1, "-")):
        first, last = STARTS[gene], STARTS[gene] + LENGTH
        reference = predicted(0, GENOME[first:last], strand)
        change = predicted(0, altered[first:last], strand) - reference
        its = effects[effects["sequence"] == f"G{gene}"]
        means = change[:2].mean(), change[2:].mean()
        np.testing.assert_allclose(its["effect"], means, rtol=1e-4, atol=1e-5)
        means = reference[:2].mean(), reference[2:].mean()
        np.testing.assert_allclose(its["reference"], means, rtol=1e-4, atol=1e-5)


def test_swapped_alleles_have_the_opposite_effect(tmp_path):
    trained = cisgrammar.load(made_results(tmp_path / "a"))
    forth, _ = variant_effects(trained, variants(("chr1", 110, GENOME[110], other(110))))
    trained.dataset.varm["codes"][2, 10] = encode(other(110))[0]
    back, _ = variant_effects(trained, variants(("chr1", 110, other(110), GENOME[110])))
    assert (forth["effect"].to_numpy() == -back["effect"].to_numpy()).all()
    assert (forth["effect"] != 0).any()


def test_each_window_is_asked_of_the_fold_that_tests_it_or_of_all(trained):
    one = variants(("1", 170, GENOME[170], other(170)))  # without chr
    held_out, _ = variant_effects(trained, one)
    every, _ = variant_effects(trained, one, all_folds=True)
    assert set(held_out["fold"]) == {"1"} and held_out["spread"].isna().all()
    window = GENOME[160:200]
    altered = window[:10] + other(170) + window[11:]
    each = np.stack([predicted(f, altered, "-") - predicted(f, window, "-") for f in (0, 1)])
    np.testing.assert_allclose(held_out["effect"], each[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(every["effect"], each.mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(every["spread"], each.std(axis=0), rtol=1e-4, atol=1e-5)


def test_a_deletion_draws_bases_from_the_genome(trained):
    deletion = variants(("chr1", 230, GENOME[230:234], GENOME[230]))
    drawn, _ = variant_effects(trained, deletion, genome={"chr1": GENOME})
    altered = (GENOME[:231] + GENOME[234:])[223 - 6 : 260 - 3]  # the middle, 240, stays
    assert len(altered) == LENGTH
    expected = predicted(1, altered, "+") - predicted(1, GENOME[220:260], "+")
    np.testing.assert_allclose(drawn["effect"], expected, rtol=1e-4, atol=1e-5)


def test_ambiguous_bases_are_drawn_as_n_and_a_genome_without_the_chromosome_is_told(trained):
    deletion = variants(("chr1", 230, GENOME[230:234], GENOME[230]))
    drawn, _ = variant_effects(trained, deletion, genome={"1": "R" * len(GENOME)})
    unknown, _ = variant_effects(trained, deletion)
    np.testing.assert_array_equal(drawn["effect"], unknown["effect"])
    with pytest.raises(InputError, match="1 of 1 chromosomes of the data are not in it"):
        variant_effects(trained, deletion, genome={"2L": GENOME})


def test_what_is_left_out_is_listed_with_its_reason(trained):
    given = variants(
        ("chr1", 110, GENOME[110], other(110)),
        ("chr1", 115, GENOME[115], other(115)),
        ("chr1", 90, GENOME[90], "A" if GENOME[90] != "A" else "C"),
        ("chr9", 110, "A", "C"),
        ("chr1", 138, GENOME[138:142], GENOME[138]),
        ("chr1", 310, GENOME[310], other(310)),
        ("chr1", 120, other(120), GENOME[120]),
        ("chr1", 125, GENOME[125], GENOME[125]),
    )
    effects, skipped = variant_effects(trained, given)
    assert set(effects["variant"]) == {"v0", "v1"}
    reasons = dict(zip(skipped["variant"], skipped["reason"], strict=True))
    assert reasons == {
        "v2": "in no window",
        "v3": "no window on its chromosome",
        "v4": "reaches over the edge of its window",
        "v5": "no fold has tested the window",
        "v6": "the reference allele is not what the genome has, but the alternative one is",
        "v7": "both alleles are the same",
    }


def test_variants_at_both_ends_of_a_window_are_in_it(trained):
    ends = variants(
        *(("chr1", place, GENOME[place], other(place)) for place in (99, 100, 139, 140))
    )
    effects, _ = variant_effects(trained, ends)
    assert set(effects["position"]) == {101, 140}


def test_an_unknown_base_matches_any_reference(trained):
    trained.dataset.varm["codes"][2, 10] = 4
    effects, skipped = variant_effects(trained, variants(("chr1", 110, other(110), GENOME[110])))
    assert len(effects) == 4 and skipped.empty


def test_variants_of_another_genome_are_refused(trained):
    wrong = variants(*(("chr1", place, other(place), GENOME[place]) for place in range(100, 120)))
    with pytest.raises(InputError, match=r"20 of 20 have another .*swapped"):
        variant_effects(trained, wrong)


def test_variants_on_the_other_strand_and_chromosomes_of_other_names_are_told(trained):
    turned = [(p, reverse_complement_letters(GENOME[p])) for p in range(100, 130)]
    alts = {"A": "C", "C": "A", "G": "A", "T": "C"}  # not what the genome has there
    wrong = variants(*(("chr1", p, ref, alts[ref]) for p, ref in turned))
    with pytest.raises(InputError, match=r"30 of 30 .*fit the other strand"):
        variant_effects(trained, wrong)
    with pytest.raises(InputError, match=r"none of their chromosomes \(II\)"):
        variant_effects(trained, variants(("II", 110, "A", "C")))


def test_variants_outside_of_every_window_are_counted_and_nothing_else_is_wrong(trained):
    outside = variants(("chr1", 80, GENOME[80], other(80)), ("chr1", 390, "A", "C"))
    effects, skipped = variant_effects(trained, outside, n_random=5)
    assert effects.empty and {"effect", "p", "q"} <= set(effects)
    assert skipped["reason"].tolist() == ["in no window"] * 2


def test_swapped_indels_have_the_opposite_effect(tmp_path):
    """An insertion behind the anchor, and its deletion from the genome that has it."""
    trained = cisgrammar.load(made_results(tmp_path / "a"))
    forth, _ = variant_effects(
        trained, variants(("chr1", 129, GENOME[129], GENOME[129] + "TTG")), all_folds=True
    )
    longer = GENOME[:130] + "TTG" + GENOME[130:]
    trained.dataset.varm["codes"][2] = encode(longer[100:140])
    back, _ = variant_effects(
        trained,
        variants(("chr1", 129, longer[129:133], longer[129])),
        genome={"chr1": longer},
        all_folds=True,
    )
    assert (forth["effect"].to_numpy() == -back["effect"].to_numpy()).all()
    assert (forth["effect"] != 0).any()
    np.testing.assert_array_equal(forth["spread"], back["spread"])


@pytest.mark.parametrize("ref, alt", [("", "TT"), ("CC", "")])
def test_bases_that_both_alleles_share_change_nothing(trained, ref, alt):
    codes = trained.dataset.varm["codes"]
    codes[2, 10:12] = encode("CC")
    plus = decode(codes[2])
    before, after = plus[8:10], plus[12:14] if ref else plus[10:12]
    padded = variants(("chr1", 108, before + ref + after, before + alt + after))
    short = variants(("chr1", 109, before[1] + ref, before[1] + alt))
    assert_same = np.testing.assert_array_equal
    assert_same(*(variant_effects(trained, v)[0]["effect"] for v in (padded, short)))


def test_several_alleles_of_one_place_stand_side_by_side(trained):
    three = [base for base in BASES if base != GENOME[110]]
    table = variants(*(("chr1", 110, GENOME[110], base) for base in three))
    effects, _ = variant_effects(trained, table)
    assert effects.groupby("alt", sort=False).size().to_dict() == dict.fromkeys(three, 4)
    assert effects.groupby("label")["reference"].nunique().eq(1).all()
    assert effects["effect"].nunique() == len(effects)


def peaks(trained):
    """Take the windows for those of peaks, which have no strand."""
    codes = np.stack([encode(GENOME[start : start + LENGTH]) for start in STARTS])
    trained.dataset.varm["codes"] = codes
    trained.dataset.var["strand"] = "+"
    return trained


def test_peaks_are_read_on_both_strands_and_genes_along_theirs(tmp_path):
    trained = peaks(cisgrammar.load(made_results(tmp_path)))
    one = variants(("chr1", 170, GENOME[170], other(170)))
    both, _ = variant_effects(trained, one)
    plus, _ = variant_effects(trained, one, both_strands=False)
    window = GENOME[160:200]
    altered = window[:10] + other(170) + window[11:]
    each = [predicted(1, altered, s) - predicted(1, window, s) for s in "+-"]
    np.testing.assert_allclose(plus["effect"], each[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(both["effect"], np.mean(each, axis=0), rtol=1e-4, atol=1e-5)
    assert not np.allclose(each[0], each[1])


def test_moved_windows_are_averaged_without_those_that_lose_the_variant(trained):
    genome = {"chr1": GENOME}
    for place, moves in ((110, (-2, 0, 3)), (101, (-2, 0))):  # the window begins at 100
        one = variants(("chr1", place, GENOME[place], other(place)))
        found, _ = variant_effects(trained, one, shifts=[-2, 3], genome=genome)
        altered = GENOME[:place] + other(place) + GENOME[place + 1 :]
        each = [
            predicted(0, altered[100 + m : 140 + m], "+")
            - predicted(0, GENOME[100 + m : 140 + m], "+")
            for m in moves
        ]
        np.testing.assert_allclose(found["effect"], np.mean(each, axis=0), rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match="no genome to read"):
        variant_effects(trained, one, shifts=[1])


class TwoMembers(torch.nn.Module):
    """An average of two models, as ensembles are."""

    def __init__(self, first, second):
        super().__init__()
        self.members = torch.nn.ModuleList([first, second])
        self.read_inputs = first.read_inputs

    def predict_members(self, inputs):
        return torch.stack([member(inputs) for member in self.members])

    def forward(self, inputs):
        return self.predict_members(inputs).mean(dim=0)


def test_the_spread_is_over_folds_and_members(trained):
    one = variants(("chr1", 110, GENOME[110], other(110)))
    alone = [variant_effects(trained, one, all_folds=True)[0]["effect"]]
    trained.models[0] = TwoMembers(some_scover(0), some_scover(5))
    window = GENOME[100:140]
    altered = window[:10] + other(110) + window[11:]
    each = [predicted(seed, altered, "+") - predicted(seed, window, "+") for seed in (0, 5, 1)]
    held_out, _ = variant_effects(trained, one)
    every, _ = variant_effects(trained, one, all_folds=True)
    np.testing.assert_allclose(held_out["spread"], np.std(each[:2], axis=0), rtol=1e-4)
    weights = [0.25, 0.25, 0.5]  # both folds count alike
    mean = np.average(each, axis=0, weights=weights)
    spread = np.sqrt(np.average((each - mean) ** 2, axis=0, weights=weights))
    np.testing.assert_allclose(every["spread"], spread, rtol=1e-4)
    np.testing.assert_allclose(every["effect"], mean, rtol=1e-4, atol=1e-5)
    assert not np.allclose(alone[0], every["effect"])


def test_a_member_without_weight_counts_neither_in_effect_nor_in_spread(trained):
    one = variants(("chr1", 110, GENOME[110], other(110)))
    members = [some_scover(0), some_scover(5), some_scover(6)]
    trained.models[0] = Ensemble(members[:2], torch.tensor([[0.2], [0.8]]))
    two, _ = variant_effects(trained, one)
    trained.models[0] = Ensemble(members, torch.tensor([[0.2], [0.8], [0.0]]))
    three, _ = variant_effects(trained, one)
    for column in ("effect", "reference", "spread"):
        np.testing.assert_allclose(two[column], three[column], rtol=1e-4, atol=1e-6)
    trained.models[0] = Ensemble(members[:2], torch.tensor([[1.0], [0.0]]))
    first, _ = variant_effects(trained, one)
    trained.models[0] = members[0]
    alone, _ = variant_effects(trained, one)
    np.testing.assert_allclose(first["effect"], alone["effect"], rtol=1e-4, atol=1e-6)
    assert first["spread"].isna().all()


def test_the_command_writes_effects_and_counts_what_is_left_out(tmp_path, capsys):
    model, path, out = made_results(tmp_path), tmp_path / "v.vcf", tmp_path / "out.tsv"
    lines = [("chr1", 111, GENOME[110], other(110)), ("chr1", 91, GENOME[90], "<DEL>")]
    path.write_text(
        "#CHROM\tPOS\tID\tREF\tALT\n"
        + "".join(f"{chrom}\t{pos}\t.\t{ref}\t{alt}\n" for chrom, pos, ref, alt in lines)
    )
    asked = ["variants", str(model), str(path), "--by", "cell_type", "--output", str(out)]
    more = {name: tmp_path / name for name in ("annotated", "summary", "skipped", "motifs")}
    asked += [word for name, file in more.items() for word in (f"--{name}", str(file))]
    assert main([*asked, "--random", "9", "--database", "jaspar:CORE:fungi:2024"]) == 0
    assert "CG_LOST" in more["annotated"].read_text() and "0.1" in more["summary"].read_text()
    assert len(more["skipped"].read_text().splitlines()) == 2
    assert more["motifs"].read_text().startswith("variant\tchrom\t")
    assert "1 variants: no letters" in capsys.readouterr().out
    assert len(out.read_text().splitlines()) == 3
