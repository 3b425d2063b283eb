"""Scores of a simulated case by scib-metrics and harmony-pytorch, for a test to compare with.

Those two need jax and are not in the lock. In a virtual environment of their own:
``pip install scib-metrics==0.5.10 harmony-pytorch==0.1.8 && python benchmarks/scib_oracle.py``.
"""

from __future__ import annotations

import numpy as np

CELLS, DIMENSIONS, TYPES, BATCHES = 900, 10, 4, 3
EFFECTS = {"mixed": 0.0, "shifted": 0.5, "apart": 2.0}  # standard deviations of a batch's shift


def case(effect: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate an embedding, and each cell's type and batch; batches differ in size."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, TYPES, CELLS)
    batches = rng.choice(BATCHES, CELLS, p=[0.5, 0.3, 0.2])
    centres = rng.normal(size=(TYPES, DIMENSIONS)) * 1.5
    shifts = rng.normal(size=(BATCHES, DIMENSIONS)) * effect
    noise = rng.normal(size=(CELLS, DIMENSIONS))
    return centres[labels] + shifts[batches] + noise, labels.astype(str), batches.astype(str)


def main() -> None:
    import pandas as pd
    import scib_metrics
    from harmony import harmonize
    from scib_metrics.nearest_neighbors import NeighborsResults
    from sklearn.neighbors import NearestNeighbors

    def scores(embedding: np.ndarray, labels: np.ndarray, batches: np.ndarray) -> dict[str, float]:
        found = NearestNeighbors(n_neighbors=90).fit(embedding).kneighbors(embedding)
        near = NeighborsResults(indices=found[1], distances=found[0])
        return {
            "kbet": float(scib_metrics.kbet(near.subset_neighbors(50), batches)[0]),
            "ilisi": float(scib_metrics.ilisi_knn(near, batches)),
            "cell_type_asw": float(scib_metrics.silhouette_label(embedding, labels)),
        }

    for name, effect in EFFECTS.items():
        embedding, labels, batches = case(effect)
        corrected = harmonize(
            embedding, pd.DataFrame({"batch": batches}), "batch", random_state=0, verbose=False
        )
        print(name, scores(embedding, labels, batches))
        print(name, "after Harmony", scores(corrected, labels, batches))


if __name__ == "__main__":
    main()
