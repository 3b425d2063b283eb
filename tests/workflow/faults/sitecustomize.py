"""Kill a run in the middle of writing one file. Python imports this where PYTHONPATH leads here.

``KILL_WRITING`` ends the path of the file. ``KILL_MOMENT`` is ``before`` its rename, with half of
it written, or ``after``.
"""

import os
import signal
from pathlib import Path

target = os.environ.get("KILL_WRITING")
replace = Path.replace


def replace_and_kill(self, to):
    """Rename as usual, but for the one file."""
    if not str(to).endswith(target):
        return replace(self, to)
    if os.environ["KILL_MOMENT"] == "before":
        whole = self.read_bytes()
        self.write_bytes(whole[: len(whole) // 2])
    else:
        replace(self, to)
    os.killpg(0, signal.SIGKILL)


if target:
    Path.replace = replace_and_kill
