"""Alleles against the genome, and in windows whose altered letters are written down by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.common.errors import InputError
from cisgrammar.genome.alleles import (
    MISMATCH,
    OTHER_STRAND,
    SWAPPED,
    alter,
    compare_reference,
    refuse_another_genome,
    reverse_complement_letters,
    trimmed,
)
from cisgrammar.genome.sequence import decode, encode, reverse_complement

DNA = st.text("ACGTN", min_size=1, max_size=30)


@pytest.mark.parametrize(
    "ref, alt, expected",
    [
        ("A", "C", (5, "A", "C")),
        ("A", "ACC", (6, "", "CC")),
        ("ACC", "A", (6, "CC", "")),
        ("CAA", "CTA", (6, "A", "T")),
        ("CA", "TA", (5, "C", "T")),
        ("AAA", "AA", (7, "A", "")),
        ("AC", "GTT", (5, "AC", "GTT")),
    ],
)
def test_shared_bases_at_both_ends_are_left_out(ref, alt, expected):
    assert trimmed(5, ref, alt) == expected


@given(DNA, DNA)
def test_what_is_left_of_both_alleles_says_the_same_change(ref, alt):
    start, was, becomes = trimmed(0, ref, alt)
    assert ref[:start] + becomes + ref[start + len(was) :] == alt
    assert trimmed(0, alt, ref) == (start, becomes, was)


@pytest.mark.parametrize(
    "at, ref, alt, anchor, flank, expected",
    [
        (2, "C", "T", 4, None, "AATCGGTT"),
        (0, "AA", "TG", 4, None, "TGCCGGTT"),
        (2, "C", "CTT", 6, None, "CTTCGGTT"),  # before the anchor: bases leave on the left
        (6, "T", "TAC", 4, None, "AACCGGTA"),  # behind it: on the right
        (2, "CC", "C", 6, "GT", "GAACGGTT"),  # a deletion draws the nearest base in
        (2, "CC", "C", 0, "GT", "AACGGTTG"),
        (2, "CCGG", "C", 0, "GTA", "AACTTGTA"),
        (2, "CCGG", "C", 7, "GTA", "ATGAACTT"),
        (2, "CCGG", "C", 0, "G", "AACTTGNN"),
    ],
)
def test_alleles_are_put_in_and_the_length_stays(at, ref, alt, anchor, flank, expected):
    margin = len(flank or "")
    context = encode((flank or "")[::-1] + "AACCGGTT" + (flank or ""))
    assert decode(alter(context, at, ref, alt, anchor, margin)) == expected
    assert decode(context[margin : margin + 8]) == "AACCGGTT"


@pytest.mark.parametrize("shift, expected", [(0, "CCTGG"), (1, "CTGGT"), (-1, "ACCTG")])
def test_a_moved_window_is_cut_out_of_the_altered_sequence(shift, expected):
    context = encode("AACCAGGTT")
    assert decode(alter(context, 2, "A", "T", 4, 2, shift)) == expected


@given(DNA, DNA, DNA, st.integers(-3, 3), st.data())
def test_the_anchor_stays_where_it_is(before, ref, alt, shift, data):
    window = before + ref + data.draw(DNA)
    anchor = data.draw(st.integers(0, len(window) - 1))
    at = len(before)
    altered = alter(encode(window), at, ref, alt, anchor)
    assert len(altered) == len(window)
    if anchor >= at + len(ref):
        assert decode(altered[anchor:]) == window[anchor:]
    elif anchor < at:
        assert decode(altered[:at]) == window[:at]


@pytest.mark.parametrize(
    "there, ref, alt, expected",
    [
        ("A", "A", "C", ""),
        ("N", "A", "C", ""),
        ("A", "N", "C", ""),
        ("C", "A", "C", SWAPPED),
        ("T", "A", "C", OTHER_STRAND),
        ("T", "A", "T", SWAPPED),  # of the other strand or swapped: the letters do not tell
        ("G", "A", "C", MISMATCH),
        ("GT", "AC", "A", OTHER_STRAND),
        ("GG", "AC", "A", MISMATCH),
    ],
)
def test_a_reference_allele_is_compared_with_the_genome(there, ref, alt, expected):
    assert compare_reference(encode(there), ref, alt) == expected


@pytest.mark.parametrize(
    "found, words",
    [
        ([OTHER_STRAND] * 5 + [SWAPPED] * 2, "7 of 7 .* 5 fit the other strand"),
        ([SWAPPED] * 5 + [""] * 4, "5 of 9 .* swapped"),
        ([SWAPPED, OTHER_STRAND, MISMATCH] * 3 + [""] * 3, "9 of 12 .* another assembly"),
    ],
)
def test_another_genome_is_refused_with_the_likely_cause(found, words):
    with pytest.raises(InputError, match=words):
        refuse_another_genome(found, "v.vcf")


def test_some_that_do_not_fit_are_no_reason_to_stop():
    refuse_another_genome([MISMATCH, ""], "v.vcf")


@given(DNA)
def test_letters_are_turned_as_codes_are(letters):
    expected = decode(np.ascontiguousarray(reverse_complement(encode(letters))))
    assert reverse_complement_letters(letters) == expected
