"""One seed in the config; every use derives its own."""

from __future__ import annotations

import hashlib


def derive_seed(seed: int, *keys: object) -> int:
    """Derive a seed for one use, independent of every other use.

    Parameters
    ----------
    seed
        The config's seed.
    keys
        What names the use: rule, family, fold, trial, ...

    Returns
    -------
    An integer in ``[0, 2**31)``, the same on every machine.

    Examples
    --------
    >>> derive_seed(1, "train", 0) == derive_seed(1, "train", 0)
    True
    >>> derive_seed(1, "train", 0) == derive_seed(1, "train", 1)
    False
    """
    text = "\x1f".join(map(str, (seed, *keys)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
