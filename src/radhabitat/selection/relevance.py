"""Max relevance, min redundancy: features that say something, and not the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radhabitat.selection.sample import Sample

_LEAST = 1e-3
"""Mean |r| below which two features are as good as independent."""


def most_relevant(sample: Sample, *, keep: int) -> NDArray[np.intp]:
    """Return columns chosen one by one: F of the outcome / mean |r| to the chosen.

    Args:
        sample: Standardized columns.
        keep: How many are chosen.

    Returns:
        Positions in the sample, rising.

    Reference:
        Ding and Peng, J Bioinform Comput Biol 2005;3:185, F-test correlation quotient.
    """
    count = sample.values.shape[1]
    if count <= keep:
        return np.arange(count)
    scaled = sample.values * np.sqrt(sample.shares)[:, np.newaxis]
    outcome = sample.outcome - sample.shares @ sample.outcome
    outcome = outcome * np.sqrt(sample.shares)
    square = np.minimum((outcome @ scaled) ** 2 / (outcome @ outcome), 1.0 - 1e-12)
    relevance = np.round(square / (1.0 - square), 12)
    chosen = [int(np.argmax(relevance))]
    redundancy = np.zeros(count)
    while len(chosen) < keep:
        redundancy += np.abs(scaled[:, chosen[-1]] @ scaled)
        score = relevance / np.maximum(redundancy / len(chosen), _LEAST)
        score[chosen] = -np.inf
        chosen.append(int(np.argmax(np.round(score, 9))))
    return np.sort(np.array(chosen, dtype=np.intp))
