"""What a job says: everything to its log file, errors to the terminal too."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

from cisgrammar.errors import InputError


@contextlib.contextmanager
def log_to(path: str | Path) -> Iterator[logging.Logger]:
    """Send a job's log to a file, and its errors to the terminal as well.

    An :class:`InputError` ends the process with its message alone; any other
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
    except BaseException:
        root.exception("The job stopped:")
        raise
    finally:
        logging.captureWarnings(False)
        root.removeHandler(to_file)
        logger.removeHandler(to_terminal)
        to_file.close()
