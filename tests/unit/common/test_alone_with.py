import subprocess
import sys
import time

import pytest

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import alone_with

HOLD = """
import sys, time
sys.path[:0] = {path!r}
from cisgrammar.common.files import alone_with
with alone_with({file!r}):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the file."""
    script = HOLD.format(path=sys.path, file=str(tmp_path / "journal"))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_process_is_told_who_holds_the_file(tmp_path, holder):
    told = pytest.raises(InputError, match=f"another job.*process {holder.pid}")
    with told, alone_with(tmp_path / "journal"):
        pass


def test_a_killed_process_holds_nothing(tmp_path, holder):
    holder.kill()
    holder.wait()
    start = time.monotonic()
    with alone_with(tmp_path / "journal"):
        pass
    assert time.monotonic() - start < 1


def test_released_after_use_and_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), alone_with(tmp_path / "new/journal"):
        raise ZeroDivisionError
    with alone_with(tmp_path / "new/journal"):
        pass
