import re
import time

from cisgrammar.common.progress import progress


def test_long_work_says_how_far_it_is_in_lines(capsys):
    for _ in progress(range(4), "peaks", every=0.05):
        time.sleep(0.1)
    lines = capsys.readouterr().err.splitlines()
    assert lines and all(line.startswith("peaks: ") for line in lines)
    assert re.search(r"of 4, \d\d:\d\d left at this speed", lines[0])


def test_short_work_says_nothing(capsys):
    assert list(progress([1, 2], "peaks")) == [1, 2]
    assert capsys.readouterr().err == ""


def test_work_that_goes_on(capsys):
    bar = progress(None, "trials", total=8, done=4, every=0.05)
    time.sleep(0.1)
    bar.set_postfix(best_loss="0.5", refresh=False)
    bar.update(2)
    bar.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"trials: 6 of 8, \d\d:\d\d left at this speed, best_loss=0.5", line)
