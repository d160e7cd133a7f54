"""Vectors of a similarity space, by position: rows that are unit vectors up to the rounding, or missing."""

import numpy as np

from tests.freesound.columns import dumps


def unit(rows):
    """Scale the last axis to length 1."""
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


class Dense:
    """One row a sound; a row of NaN is a sound without a vector.

    What is served is rounded to `decimals`, and what is served also decides which sounds are near.
    """

    def __init__(self, rows, decimals):
        self.rows = np.round(rows, decimals)
        self.dimension = rows.shape[1]
        self._json = [dumps(None if np.isnan(row).any() else row.tolist()) for row in self.rows]

    def json(self, position):
        return self._json[position]

    def value(self, position):
        """The vector, shape (dimension,), or None."""
        row = self.rows[position]
        return None if np.isnan(row).any() else row

    def cosines(self, vector):
        """Cosine of each sound's vector with `vector`; NaN where there is none."""
        return unit(self.rows) @ unit(np.asarray(vector, float))


class Patchwork:
    """Vectors of patches out of a small store, so that 300 000 different ones cost neither memory nor time.

    `patches` has shape (places, patches, numbers), each patch of the same length; `codes`, shape (sounds, places), says
    which patch each sound has at each place. A row is a unit vector because the patches' squares add up to 1.
    """

    def __init__(self, patches, codes, decimals):
        self.patches = np.round(unit(patches) / np.sqrt(len(patches)), decimals)
        self.codes = codes
        self.dimension = patches.shape[0] * patches.shape[2]
        self._json = [[dumps(patch)[1:-1] for patch in place] for place in self.patches.tolist()]

    def json(self, position):
        codes = self.codes[position].tolist()
        return f"[{','.join([place[code] for place, code in zip(self._json, codes, strict=True)])}]"

    def value(self, position):
        return np.concatenate([place[code] for place, code in zip(self.patches, self.codes[position], strict=True)])

    def cosines(self, vector):
        parts = unit(np.asarray(vector, float)).reshape(len(self.patches), -1)
        products = np.einsum("pkn,pn->pk", self.patches, parts)
        return sum(products[place][self.codes[:, place]] for place in range(len(self.patches)))
