import pytest

from cisgrammar.common.errors import InputError, Problems


def test_no_problem_raises_nothing():
    Problems().raise_if_any()


def test_one_problem_is_said_as_it_is():
    problems = Problems()
    problems.add("a.tsv: empty")
    with pytest.raises(InputError, match=r"^a.tsv: empty$"):
        problems.raise_if_any()


def test_several_problems_are_said_at_once_and_counted():
    problems = Problems()
    for message in ("one", "two", "three"):
        problems.add(message)
    with pytest.raises(InputError) as raised:
        problems.raise_if_any()
    assert str(raised.value) == "3 problems:\n  1. one\n  2. two\n  3. three"
