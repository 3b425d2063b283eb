import errno
import logging
import os
import subprocess
import sys
import warnings

import pytest
import torch

from cisgrammar.common.errors import InputError
from cisgrammar.common.logs import log_to, why_stopped


@pytest.fixture
def log(tmp_path):
    return tmp_path / "logs" / "rule.log"


def test_information_and_warnings_go_to_the_file_alone(log, capsys):
    with log_to(log) as logger:
        logger.info("%d genes", 7)
        logging.getLogger("cisgrammar.cells.embedding").info("deep")
        logging.getLogger("elsewhere").warning("foreign")
        warnings.warn("python's", UserWarning, stacklevel=1)
    text = log.read_text()
    assert all(word in text for word in ("INFO 7 genes", "deep", "foreign", "python's"))
    assert capsys.readouterr().err == ""


def test_input_error_ends_with_its_message_alone(log, capsys):
    with pytest.raises(SystemExit) as ended, log_to(log):
        raise InputError("a.gtf: no genes")
    assert ended.value.code == 1
    assert capsys.readouterr().err == "a.gtf: no genes\n"
    assert "a.gtf: no genes" in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("error", [KeyError("gene7"), OSError(5, "gene7")])
def test_any_other_error_leaves_its_traceback_and_goes_on(log, error, capsys):
    with pytest.raises(type(error)), log_to(log):
        raise error
    assert "Traceback" in log.read_text()
    assert type(error).__name__ in log.read_text()
    assert capsys.readouterr().err == ""  # Python itself will say it


@pytest.mark.parametrize(
    "error, said",
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full"),
        (PermissionError(errno.EACCES, "Denied", "results/x.tsv"), "results/x.tsv: You may not"),
        (OSError(errno.EROFS, "Read-only file system"), "The disk can be read only"),
        (MemoryError("Unable to allocate 3 TiB"), "Memory ran out"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "Memory ran out"),
        (torch.OutOfMemoryError("CUDA out of memory"), "Memory ran out"),
    ],
)
def test_what_the_machine_lacks_is_said_in_a_sentence(log, error, said, capsys):
    with pytest.raises(SystemExit) as ended, log_to(log):
        raise error
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(said)
    assert "Traceback" in log.read_text()


def test_log_is_written_anew_and_let_go(log):
    for word in ("first", "second"):
        with log_to(log) as logger:
            logger.info(word)
    logging.getLogger("cisgrammar").info("third")
    assert "first" not in log.read_text()
    assert "second" in log.read_text()
    assert "third" not in log.read_text()
    assert not [h for h in logging.getLogger().handlers if getattr(h, "baseFilename", "") == log]


def test_handlers_are_let_go_after_an_error(log):
    before = logging.getLogger().handlers[:], logging.getLogger("cisgrammar").handlers[:]
    with pytest.raises(SystemExit), log_to(log):
        raise InputError("x")
    assert (logging.getLogger().handlers, logging.getLogger("cisgrammar").handlers) == before


def test_ctrl_c_ends_at_once_with_one_line(log, pytestconfig):
    """Also where another thread never ends; what was half-written is gone."""
    code = f"""
import os, signal, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
from cisgrammar.common.files import whole_file
from cisgrammar.common.logs import log_to
threading.Thread(target=time.sleep, args=(600,)).start()
with log_to({str(log)!r}), whole_file({str(log.parent / "table.tsv")!r}) as path:
    path.write_text("half")
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(pytestconfig.rootpath / "src")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 130
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("Stopped by hand: call again")
    assert [path.name for path in log.parent.iterdir()] == [log.name]
    assert "Stopped by hand" in log.read_text()


def fail(log, error):
    with pytest.raises((SystemExit, RuntimeError)), log_to(log) as logger:
        logger.info("begun")
        raise error
    return log


def test_why_a_run_stopped_is_said_again(tmp_path):
    problems = "2 problems:\n  1. a.gtf: no genes\n  2. b.fa: empty"
    one = fail(tmp_path / "check/mine.log", InputError(problems))
    error = RuntimeError("CUDA error\nCompile with this\n  to see more")
    two = fail(tmp_path / "train/mine.fold0.log", error)
    fail(tmp_path / "train/mine2.log", InputError("another data set"))
    with log_to(tmp_path / "plot/mine.log") as logger:
        logger.warning("odd")
    old = fail(tmp_path / "train/mine.fold1.log", InputError("of an earlier run"))
    os.utime(old, (5, 5))
    assert why_stopped(tmp_path, "mine", since=10) == (
        f"Why it stopped ({one}):\n{problems}\n"
        f"Why it stopped ({two}):\nRuntimeError: CUDA error\nCompile with this\n  to see more"
    )
    assert why_stopped(tmp_path / "nothing", "mine", since=10) == ""
