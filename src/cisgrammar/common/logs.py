"""What a job says: everything to its log file, errors to the terminal too."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import sys
from collections.abc import Iterator
from itertools import dropwhile
from pathlib import Path

from cisgrammar.common.errors import InputError

LACKS = {
    errno.ENOSPC: "The disk is full. Free some space",
    errno.EDQUOT: "Your share of the disk (quota) is used up. Free some space, or ask for more",
    errno.EFBIG: "The file is larger than this machine allows (`ulimit -f`). Raise the limit",
    errno.EACCES: "You may not read or write this. Look at its owner and mode (`ls -l`)",
    errno.EPERM: "You may not read or write this. Look at its owner and mode (`ls -l`)",
    errno.EROFS: "The disk can be read only. Work in a folder that you may write to",
}

RECORD = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ([A-Z]+) ", re.M)


def why_stopped(folder: str | Path, name: str, since: float) -> str:
    """Say again what stopped a run, from the logs of its jobs.

    On a terminal it stands far above what Snakemake says of it; on a cluster it stands in the
    jobs' own logs only. A job that was killed has left nothing there.

    Parameters
    ----------
    folder, name
        The logs are ``{folder}/RULE/{name}.*``.
    since
        When the run started, seconds since the epoch; older logs are of other runs.

    Returns
    -------
    For each job that said why: its log and its last error. Empty where none did.
    """
    logs = sorted(log for log in Path(folder).glob("*/*.log") if log.name.startswith(f"{name}."))
    told = [
        f"Why it stopped ({log}):\n{error}"
        for log in logs
        if log.stat().st_mtime >= since and (error := _last_error(log))
    ]
    return "\n".join(told)


def _last_error(log: Path) -> str:
    """Give the last error of a job's log; of an exception what it says, without its traceback."""
    text = log.read_text(encoding="utf-8", errors="replace")
    starts = [*RECORD.finditer(text)]
    ends = [each.start() for each in starts[1:]] + [len(text)]
    errors = [
        text[each.end() : end].strip()
        for each, end in zip(starts, ends, strict=True)
        if each[1] == "ERROR"
    ]
    if not errors or "\nTraceback (" not in errors[-1]:
        return errors[-1] if errors else ""
    lines = errors[-1].rpartition('\n  File "')[2].splitlines()[1:]
    return "\n".join(dropwhile(lambda line: line.startswith(" "), lines))


def lacking(error: BaseException) -> str | None:
    """Say what the machine lacked and what to do, where that is why a job stopped."""
    if isinstance(error, OSError) and error.errno in LACKS:
        where = f"{error.filename}: " if error.filename else ""
        return (
            f"{where}{LACKS[error.errno]}, then call again: what is finished is kept, nothing "
            f"half-written is taken for whole. ({type(error).__name__}: {error})"
        )
    if (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"  # torch's, on a GPU
        or (isinstance(error, RuntimeError) and "allocate memory" in str(error))  # torch's, on CPUs
    ):
        return (
            "Memory ran out. On a cluster a failed job is tried again with twice as much; "
            "`mem_mb` in its rule or in the profile asks for more at once. On a GPU, smaller "
            f"batches (`search.batch_size`) need less. ({type(error).__name__}: {error})"
        )
    return None


@contextlib.contextmanager
def log_to(path: str | Path) -> Iterator[logging.Logger]:
    """Send a job's log to a file, and its errors to the terminal as well.

    An :class:`InputError` ends the process with its message alone. So does what the
    machine lacks (disk, memory, a right), whose traceback is in the log. Ctrl-C ends it at
    once with one line. Any other
    exception leaves its traceback in the log before it goes on.

    Parameters
    ----------
    path
        The log file; written anew.

    Yields
    ------
    The library's logger.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("cisgrammar")
    logger.setLevel(logging.INFO)
    to_file = logging.FileHandler(path, mode="w")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setLevel(logging.ERROR)
    to_terminal.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    root.addHandler(to_file)
    logger.addHandler(to_terminal)
    logging.captureWarnings(True)
    try:
        yield logger
    except InputError as error:
        logger.error("%s", error)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        logger.error(  # its traceback would say where it happened to be
            "Stopped by hand: call again to go on. What is finished is kept, nothing half-written "
            "is taken for whole."
        )
        logging.shutdown()
        os._exit(130)  # threads of libraries may crash while Python takes them down
    except BaseException as error:
        root.exception("The job stopped:")
        if (lack := lacking(error)) is None:
            raise
        logger.error("%s", lack)
        raise SystemExit(1) from None
    finally:
        logging.captureWarnings(False)
        root.removeHandler(to_file)
        logger.removeHandler(to_terminal)
        to_file.close()
