"""References in plain NumPy for the measures: from their definitions alone, in float64, without FAISS."""

import numpy as np

MEASURED = ["mfcc", "mfcc_raw", "mfcc_means", "mfcc_cosine", "mfcc_pca", "mfcc_gauss", "traits"]
SPACES = {"mfcc_gauss": "mfcc_frames", "traits": "traits9"}


def z_scores(X):
    deviation = np.nanstd(X, axis=0)
    return np.nan_to_num((X - np.nanmean(X, axis=0)) / np.where(deviation > 0, deviation, 1))


def euclidean(X):
    return np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=-1))


def one_minus_cosine(X):
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    return 1 - unit @ unit.T


def log_variances(X):
    return z_scores(np.hstack([X[:, :13], np.log(X[:, 13:] + 1e-3)]))


def whitened(X):
    """By the singular value decomposition."""
    Z = z_scores(X)
    left, values, _ = np.linalg.svd(Z, full_matrices=False)
    return left[:, :10][:, values[:10] > 1e-4 * values[0]] * np.sqrt(len(X))


def divergence(one, other):
    """KL(a, b) of two Gaussians, term by term."""
    (mean, covariance), (other_mean, other_covariance) = one, other
    precision = np.linalg.inv(other_covariance)
    apart = other_mean - mean
    logs = np.linalg.slogdet(other_covariance)[1] - np.linalg.slogdet(covariance)[1]
    return 0.5 * (np.trace(precision @ covariance) + apart @ precision @ apart - len(mean) + logs)


def gaussian(row):
    covariance = np.zeros((13, 13))
    covariance[np.triu_indices(13)] = row[13:]
    return row[:13], covariance + np.triu(covariance, 1).T + np.eye(13)


def divergences(X):
    sounds = [gaussian(row) for row in X]
    return np.array([[divergence(a, b) + divergence(b, a) for b in sounds] for a in sounds])


APART = {
    "mfcc": lambda X: euclidean(z_scores(X)),
    "mfcc_raw": euclidean,
    "mfcc_means": lambda X: euclidean(X[:, :13]),
    "mfcc_cosine": lambda X: one_minus_cosine(log_variances(X)),
    "mfcc_pca": lambda X: euclidean(whitened(X)),
    "mfcc_gauss": divergences,
    "traits": lambda X: euclidean(z_scores(X)),
}


def apart(corpus, name):
    """Ids, and all distances (n, n) by a measure."""
    ids, X = corpus.vectors.matrix(SPACES.get(name, "mfcc"))
    return ids, APART[name](X.astype(np.float64))


def order(ids, distances, target, allowed=None):
    """Ids and distances from a target, nearest first; what rounding makes of equal distances is evened out."""
    row = distances[ids == target][0]
    places = np.lexsort((ids, np.round(row, 9)))
    keep = [p for p in places if ids[p] != target and (allowed is None or ids[p] in allowed)]
    return ids[keep].tolist(), row[keep]
