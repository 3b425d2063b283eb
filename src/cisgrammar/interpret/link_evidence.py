"""What a gene's own cells say of its peaks, where the shared model is what was believed before."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_solve, cholesky
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.gene_batches import GenePeaks

DIRECTIONS = 50  # of accessibility in cells, at most a quarter of the cells
PEAKS = 2000  # drawn to find directions
GENES = 400  # drawn to learn the prior
START = np.array([-0.5, -0.5, -1.0, 0.0])  # ln of Prior's numbers
BOUNDS = ((-8, 4), (-8, 4), (-8, 4), (-5, 1))
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GeneEvidence:
    """One gene in directions of cells.

    Parameters
    ----------
    access
        Of its promoter and candidates: ``(directions, 1 + candidates)``.
    observed
        Its expression: ``(directions,)``.
    noise
        Variance of a direction by the noise of single cells alone.
    """

    access: np.ndarray
    observed: np.ndarray
    noise: float


@dataclass(frozen=True)
class Prior:
    """How far effects lie from those of the shared model, and expression from all effects.

    Parameters
    ----------
    own
        Variance of a peak's effect, as a share of the square of the shared model's.
    typical
        The same, as a share of the mean square of the shared model's at that distance.
    promoter
        Of a promoter's effect, as a share of the mean square of promoters'.
    elsewhere
        Of what genes have in common that no peak near them tells: a factor of what was found.
    """

    own: float
    typical: float
    promoter: float
    elsewhere: float


@dataclass(frozen=True)
class Effects:
    """Effects of pairs on expression per unit of accessibility, ``(pairs,)`` each.

    Parameters
    ----------
    mean, deviation
        After the gene's own cells were seen.
    null_mean, null_deviation
        Of matched peaks, each in the place of its pair's.
    """

    mean: np.ndarray
    deviation: np.ndarray
    null_mean: np.ndarray
    null_deviation: np.ndarray


def directions_of_cells(data: GenePeaks, seed: int) -> np.ndarray:
    """Find the directions in which accessibility varies: ``(cells, directions)``, orthonormal."""
    n_peaks, n_cells = len(data.embedding), data.accessibility.n_cells
    rng = np.random.default_rng(derive_seed(seed, "directions of links"))
    drawn = np.sort(rng.permutation(n_peaks)[:PEAKS])
    values = data.accessibility.of_peaks(drawn).numpy().astype(np.float64)
    left, size, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    n = min(DIRECTIONS, max(1, n_cells // 4), int((size > 1e-6 * size[0]).sum()))
    return left[:, :n]


def evidence_of(data: GenePeaks, directions: np.ndarray, gene: int) -> GeneEvidence:
    """Take a gene to directions of cells; what is left of its expression is noise."""
    (access,) = data.batch([gene]).accessibility
    observed = data.expression.observed(np.array([gene]))[:, 0].astype(np.float64)
    observed = observed - observed.mean()
    its = directions.T @ observed
    freedom = len(observed) - 1 - len(its)
    noise = max(float(observed @ observed - its @ its), 1e-12) / freedom
    return GeneEvidence(directions.T @ access.numpy(), its, noise)


def common_residuals(
    genes: Sequence[GeneEvidence], expected: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find what genes have in common beside their peaks' effects and single cells' noise.

    Parameters
    ----------
    genes
        All of them.
    expected
        Effects by the shared model, the promoter's first.

    Returns
    -------
    The mean over genes, ``(directions,)``; and of the covariance about it, less noise, the
    eigenvectors, ``(directions, directions)``, and variances, ``(directions,)``.
    """
    residual = np.array(
        [its.observed - its.access @ effect for its, effect in zip(genes, expected, strict=True)]
    )
    shift = residual.mean(axis=0)
    covariance = (residual - shift).T @ (residual - shift) / len(residual)
    covariance -= np.mean([its.noise for its in genes]) * np.eye(len(shift))
    variance, vectors = np.linalg.eigh(covariance)
    return shift, vectors, np.maximum(variance, 0)


def typical_squares(effects: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Smooth squared effects over distance, so that they fall or stay: ``(pairs,)``."""
    falling = IsotonicRegression(increasing=False)
    return falling.fit_transform(np.abs(distances), effects**2)


def log_evidence(
    gene: GeneEvidence, expected: np.ndarray, variance: np.ndarray, elsewhere: np.ndarray
) -> float:
    """Give the log likelihood of a gene's expression, its effects integrated out."""
    noise = gene.noise + elsewhere
    scaled = gene.access / np.sqrt(noise)[:, None]
    residual = (gene.observed - gene.access @ expected) / np.sqrt(noise)
    factor = cholesky(np.eye(len(noise)) + (scaled * variance) @ scaled.T, lower=True)
    fit = residual @ cho_solve((factor, True), residual)
    return float(-fit / 2 - np.log(np.diag(factor)).sum() - np.log(noise).sum() / 2)


def learn_prior(
    genes: Sequence[GeneEvidence],
    expected: Sequence[np.ndarray],
    typical: Sequence[np.ndarray],
    elsewhere: np.ndarray,
) -> Prior:
    """Choose the prior under which the expression of the genes is most likely.

    Parameters
    ----------
    genes
        In the directions of :func:`common_residuals`, the shift taken out.
    expected
        Effects by the shared model, the promoter's first.
    typical
        What variances are shares of, as :func:`variances` has them, the promoter's first.
    elsewhere
        Variances from :func:`common_residuals`.
    """

    def loss(logs: np.ndarray) -> float:
        prior = Prior(*np.exp(logs))
        every = zip(genes, expected, typical, strict=True)
        return -sum(
            log_evidence(its, effect, variances(prior, effect, square), prior.elsewhere * elsewhere)
            for its, effect, square in every
        ) / len(genes)

    return Prior(*np.exp(minimize(loss, START, method="L-BFGS-B", bounds=BOUNDS).x).tolist())


def variances(prior: Prior, expected: np.ndarray, typical: np.ndarray) -> np.ndarray:
    """Give the prior variance of each effect, the promoter's first."""
    found = prior.own * expected**2 + prior.typical * typical
    found[0] = prior.promoter * typical[0]
    return np.maximum(found, 1e-12)


def posterior(
    gene: GeneEvidence, expected: np.ndarray, variance: np.ndarray, elsewhere: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give the mean and the standard deviation of each effect after the gene was seen."""
    weight = 1 / (gene.noise + elsewhere)
    precision = (gene.access.T * weight) @ gene.access + np.diag(1 / variance)
    covariance = np.linalg.inv(precision)
    residual = gene.observed - gene.access @ expected
    return expected + covariance @ (gene.access.T @ (weight * residual)), np.sqrt(
        np.diag(covariance)
    )


def fit_effects(
    data: GenePeaks,
    expected: np.ndarray,
    of_promoters: np.ndarray,
    of_matched: np.ndarray,
    matched: np.ndarray,
    seed: int,
) -> Effects:
    """Fit each gene's expression by its peaks, about what the shared model expects of them.

    Parameters
    ----------
    data
        Genes, candidates, accessibility, expression.
    expected, of_promoters, of_matched
        Effects per unit of accessibility by the shared model: of pairs, of each gene's promoter,
        and of the matched peak in each pair's place.
    matched
        For each peak another one: ``(peaks,)``.
    seed
        Of the draws of peaks and genes.

    Notes
    -----
    Bayesian linear regression of each gene, in the directions of cells in which accessibility
    varies. The prior of an effect is normal about the shared model's; its variance has a part
    that goes with the model's own effect, and one with what is typical of the distance, so that a
    peak the model does not know may be a link too where others are. What genes share beyond
    their peaks is noise here, with a covariance found over all genes; without it, the few
    directions in which cell types differ count as if each cell told of them anew. All variances
    are those of the highest likelihood over genes (empirical Bayes).
    """
    directions = directions_of_cells(data, seed)
    slices = [data.candidates.of_gene(gene) for gene in range(len(data.candidates))]
    genes = [evidence_of(data, directions, gene) for gene in range(len(slices))]
    both = [np.append(of_promoters[g], expected[its]) for g, its in enumerate(slices)]
    shift, vectors, elsewhere = common_residuals(genes, both)
    genes = [
        replace(its, access=vectors.T @ its.access, observed=vectors.T @ (its.observed - shift))
        for its in genes
    ]
    squares = typical_squares(expected, data.candidates.distances)
    typical = [np.append((of_promoters**2).mean(), squares[its]) for its in slices]
    rng = np.random.default_rng(derive_seed(seed, "genes of the prior"))
    drawn = rng.permutation(len(genes))[:GENES]
    prior = learn_prior(
        [genes[i] for i in drawn], [both[i] for i in drawn], [typical[i] for i in drawn], elsewhere
    )
    logger.info("prior of effects: %s", prior)
    elsewhere = prior.elsewhere * elsewhere
    found = np.zeros((4, len(expected)))
    for gene, its in enumerate(slices):
        variance = variances(prior, both[gene], typical[gene])
        mean, deviation = posterior(genes[gene], both[gene], variance, elsewhere)
        found[:2, its] = mean[1:], deviation[1:]
        others = matched[data.candidates.peaks[its]]
        access = vectors.T @ (directions.T @ data.accessibility.of_peaks(others).numpy())
        for j in range(len(others)):
            found[2:, its.start + j] = _in_place(
                genes[gene], both[gene], typical[gene], prior, elsewhere,
                j + 1, access[:, j], of_matched[its.start + j],
            )  # fmt: skip
    return Effects(*found)


def _in_place(
    gene: GeneEvidence,
    expected: np.ndarray,
    typical: np.ndarray,
    prior: Prior,
    elsewhere: np.ndarray,
    column: int,
    access: np.ndarray,
    effect: float,
) -> tuple[float, float]:
    """Fit the gene with another peak in the place of one."""
    its, effects = gene.access.copy(), expected.copy()
    its[:, column], effects[column] = access, effect
    variance = variances(prior, effects, typical)
    mean, deviation = posterior(replace(gene, access=its), effects, variance, elsewhere)
    return float(mean[column]), float(deviation[column])
