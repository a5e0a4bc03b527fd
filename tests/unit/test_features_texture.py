"""Texture matrices against slow counting in plain Python."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from scipy import ndimage

from radhabitat.features.regions import DIRECTIONS, locate
from radhabitat.features.texture import count_textures

SHAPE = (6, 5, 4)


def _example(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Levels 1, 2, 4 in a ragged region of two parts; 0 outside."""
    rng = np.random.default_rng(seed)
    parts = rng.choice([0, 1, 2], size=SHAPE, p=[0.2, 0.5, 0.3]).astype(np.uint8)
    return rng.choice([1, 2, 4], size=SHAPE, p=[0.5, 0.3, 0.2]) * (parts > 0), parts


def _neighbors(levels, at):
    for step in product((-1, 0, 1), repeat=3):
        there = tuple(np.add(at, step))
        inside = all(0 <= x < n for x, n in zip(there, levels.shape, strict=True))
        if step != (0, 0, 0) and inside and levels[there]:
            yield step, int(levels[there])


def _counted(levels: np.ndarray, parts: np.ndarray, region: int):
    """The region's textures as the engine counts them, and its levels on the grid."""
    regions = locate(parts > 0, parts, count=2)
    cropped = levels[regions.box][regions.inside].astype(np.int32)
    textures = count_textures(regions, [cropped[own] for own in regions.members])
    own = parts > 0 if region == 0 else parts == region
    return textures[region], levels * own


CASES = [(seed, region) for seed in (0, 1) for region in (0, 1, 2)]


@pytest.mark.parametrize(("seed", "region"), CASES)
def test_pairs_are_counted_both_ways_in_thirteen_directions(seed, region):
    textures, levels = _counted(*_example(seed), region)
    wanted = Counter()
    for at in np.argwhere(levels):
        for step, level in _neighbors(levels, at):
            direction = max(step, tuple(-np.array(step)))
            wanted[tuple(map(int, direction)), int(levels[tuple(at)]), level] += 1
    found = Counter()
    for number, one, other in np.argwhere(textures.pairs):
        key = int(textures.gray[one]), int(textures.gray[other])
        direction = tuple(DIRECTIONS[number].tolist())
        found[direction, *key] = int(textures.pairs[number, one, other])
    assert found == wanted


@pytest.mark.parametrize(("seed", "region"), CASES)
def test_runs_are_counted_once_per_direction(seed, region):
    textures, levels = _counted(*_example(seed), region)
    padded = np.pad(levels, 1)
    for number, direction in enumerate(DIRECTIONS):
        wanted = np.zeros_like(textures.runs[number])
        for at in np.argwhere(padded):
            level, length = padded[tuple(at)], 1
            if padded[tuple(at - direction)] == level:
                continue
            while padded[tuple(at + length * direction)] == level:
                length += 1
            wanted[list(textures.gray).index(level), length - 1] += 1
        np.testing.assert_array_equal(textures.runs[number], wanted)


@pytest.mark.parametrize(("seed", "region"), CASES)
def test_zones_are_the_connected_components_of_each_level(seed, region):
    textures, levels = _counted(*_example(seed), region)
    for row, level in zip(textures.zones, textures.gray, strict=True):
        labeled, count = ndimage.label(levels == level, structure=np.ones((3, 3, 3)))
        sizes = Counter(np.bincount(labeled.ravel())[1 : count + 1].tolist())
        found = {int(s): int(n) for s, n in zip(textures.zone_sizes, row, strict=True)}
        assert {s: n for s, n in found.items() if n} == sizes


@pytest.mark.parametrize(("seed", "region"), CASES)
def test_dependences_and_tone_differences_look_at_26_neighbors(seed, region):
    textures, levels = _counted(*_example(seed), region)
    dependences = np.zeros_like(textures.dependences)
    differences, alone = np.zeros(textures.gray.size), np.zeros(textures.gray.size)
    for at in np.argwhere(levels):
        level = levels[tuple(at)]
        around = [other for _, other in _neighbors(levels, at)]
        row = list(textures.gray).index(level)
        dependences[row, around.count(level)] += 1
        differences[row] += abs(level - np.mean(around)) if around else 0.0
        alone[row] += not around
    np.testing.assert_array_equal(textures.dependences, dependences)
    np.testing.assert_allclose(textures.differences, differences, rtol=1e-12)
    np.testing.assert_array_equal(textures.alone, alone)


def test_a_region_of_one_level_has_no_texture():
    levels, parts = _example(0)
    levels[parts == 2] = 4
    assert _counted(levels, parts, 2)[0] is None
    assert _counted(levels, parts, 1)[0].gray.tolist() == [1, 2, 4]


def test_a_run_as_long_as_the_box_is_counted():
    levels = np.ones((7, 2, 1), dtype=np.int64)
    levels[:, 1, 0] = 2
    textures, _ = _counted(levels, np.ones((7, 2, 1), np.uint8), 0)
    assert textures.runs.shape[2] == 7
    assert textures.runs[:, :, 6].sum(axis=1).max() == 2


def test_the_thirteen_directions_and_their_opposites_are_the_26_neighbors():
    both = np.concatenate([DIRECTIONS, -DIRECTIONS])
    assert len({tuple(step) for step in both.tolist()}) == 26
    assert not (both == 0).all(axis=1).any()
