"""Property tests draw the same examples in every run: a failure is one that anybody sees."""

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")
