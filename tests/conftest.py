"""Property tests draw the same examples in every run: a failure is one that anybody sees."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # workers share processors, as jobs do

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")
