"""Errors that a user can act on."""

from __future__ import annotations


class InputError(ValueError):
    """Something in the user's files or config is wrong.

    The message says where, what was found, the likely cause, and what to do.
    """


class Problems:
    """Collect problems, so that all of them are reported at once.

    Examples
    --------
    >>> problems = Problems()
    >>> problems.add("a.h5ad: no such file. Check `counts.path` in the config.")
    >>> problems.raise_if_any()
    Traceback (most recent call last):
    cisgrammar.common.errors.InputError: a.h5ad: no such file. Check `counts.path` in the config.
    """

    def __init__(self) -> None:
        self.messages: list[str] = []

    def add(self, message: str) -> None:
        """Note one problem."""
        self.messages.append(message)

    def raise_if_any(self) -> None:
        """Raise everything that was noted.

        Raises
        ------
        InputError
            If at least one problem was noted; one paragraph for each.
        """
        if len(self.messages) == 1:
            raise InputError(self.messages[0])
        if self.messages:
            numbered = "\n".join(f"  {i}. {m}" for i, m in enumerate(self.messages, start=1))
            raise InputError(f"{len(self.messages)} problems:\n{numbered}")
