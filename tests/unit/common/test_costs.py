import pandas as pd

from cisgrammar.common.costs import Cost, add_up


def row(method, fold, seconds, memory):
    values = {"method": method, "fold": fold, "seconds": seconds, "memory_mb": memory}
    return pd.DataFrame([values])


def test_jobs_one_after_the_other_add_time_and_take_the_larger_memory():
    jobs = [row("scover", 0, 12.5, 300.5), row("scover", 1, 7.0, 1.0), row("scover", 0, 2.0, 200.5)]
    assert add_up(jobs).to_dict("records") == [
        {"method": "scover", "fold": 0, "seconds": 14.5, "memory_mb": 300.5},
        {"method": "scover", "fold": 1, "seconds": 7.0, "memory_mb": 1.0},
    ]


def test_a_block_has_a_time_and_a_memory_of_its_own():
    with Cost() as cost:
        block = bytearray(64 << 20)
        block[::4096] = b"x" * len(block[::4096])
    measured = cost.row("any", 2).iloc[0]
    assert measured["fold"] == 2 and 0 < measured["seconds"] < 60
    assert measured["memory_mb"] > 64
