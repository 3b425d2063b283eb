"""Variants of a haplotype are scored together, as the sequence with all of them."""

import numpy as np
import pandas as pd
import pytest
from made_trained import CODES, made_results

import cisgrammar
from cisgrammar.genome.sequence import decode, encode
from cisgrammar.use.command import main
from cisgrammar.use.variant_effects import variant_effects
from cisgrammar.use.variant_haplotypes import joined_variants

LETTERS = decode(CODES)


@pytest.fixture
def trained(tmp_path):
    return cisgrammar.load(made_results(tmp_path))


def other(base):
    return "ACGT"[("ACGT".index(base) + 1) % 4]


def variants(*rows):
    """Give rows of start, number of reference bases, and alternative allele."""
    full = [
        (f"v{i}", "chr1", start, LETTERS[start : start + n], alt or other(LETTERS[start]))
        for i, (start, n, alt) in enumerate(rows)
    ]
    return pd.DataFrame(full, columns=["variant", "chrom", "start", "ref", "alt"])


def haplotype(table):
    return [tuple(table[["chrom", "start", "ref", "alt"]].itertuples(index=False, name=None))]


def test_two_together_are_the_sequence_with_both(trained):
    table = variants((105, 1, None), (112, 1, None))  # G2, on the plus strand, from 100
    joined = joined_variants(trained, table, haplotype(table))
    assert joined["variant"].tolist() == ["v0+v1"]
    codes = np.asarray(trained.dataset.varm["codes"][2])[None].repeat(2, axis=0)
    for start, alt in table[["start", "alt"]].itertuples(index=False):
        codes[1, start - 100] = "ACGT".index(alt)
    reference, changed = trained.predicted(0, codes, trained.labels("cell_type"))
    effects, skipped = variant_effects(trained, joined, by="cell_type")
    assert skipped.empty
    np.testing.assert_allclose(effects["effect"], changed - reference, atol=1e-5)


def test_swapped_alleles_flip_every_sign(trained):
    table = variants((105, 1, None), (115, 1, None))
    joined = joined_variants(trained, table, haplotype(table))
    forth, _ = variant_effects(trained, joined, by="cell_type")
    ((_, _, start, ref, alt),) = joined.to_numpy().tolist()
    assert (start, ref) == (105, LETTERS[105:116])
    assert alt == other(ref[0]) + ref[1:10] + other(ref[10])
    trained.dataset.varm["codes"][2, 5:16] = encode(alt)
    back, _ = variant_effects(trained, joined.assign(ref=alt, alt=ref), by="cell_type")
    assert (forth["effect"].to_numpy() == -back["effect"].to_numpy()).all()
    assert (forth["effect"] != 0).all()


def test_what_comes_and_goes_between_them_is_spelled_out(trained):
    table = variants((105, 1, None), (110, 2, LETTERS[110]), (120, 1, LETTERS[120] + "GT"))
    ((_, _, start, ref, alt),) = (
        joined_variants(trained, table, haplotype(table)).to_numpy().tolist()
    )
    inserted = LETTERS[:105] + other(LETTERS[105]) + LETTERS[106:111] + LETTERS[112:121] + "GT"
    whole = LETTERS[:start] + alt + LETTERS[start + len(ref) :]
    assert whole == inserted + LETTERS[121:]


def test_only_those_that_share_a_window_are_together(trained):
    table = variants((5, 1, None), (30, 1, None), (50, 1, None), (250, 1, None))
    joined = joined_variants(trained, table, haplotype(table))
    # windows are 0 to 40 and 20 to 60; the last variant is alone in its own
    assert sorted(joined["variant"]) == ["v0+v1", "v1+v2"]
    assert joined_variants(trained, table, [haplotype(table)[0][::3]]).empty


def test_of_two_that_change_the_same_base_the_first_is_taken(trained):
    both = other(LETTERS[105]) + other(LETTERS[106])
    table = variants((105, 2, both), (106, 1, None), (112, 1, None))
    assert joined_variants(trained, table, haplotype(table))["variant"].tolist() == ["v0+v2"]


def test_the_command_asks_about_them_beside_each_alone(tmp_path):
    table = variants((105, 1, None), (112, 1, None))
    table = table.assign(position=table["start"] + 1, haplotype="h").drop(columns="start")
    table.to_csv(tmp_path / "v.csv", index=False)
    model, out = made_results(tmp_path), tmp_path / "out.tsv"
    asked = ["variants", str(model), str(tmp_path / "v.csv"), "--haplotypes", "--random", "0"]
    assert main([*asked, "--output", str(out)]) == 0
    assert set(pd.read_csv(out, sep="\t")["variant"]) == {"v0", "v1", "v0+v1"}
