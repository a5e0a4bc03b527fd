"""The classic marching-cubes table, for masks.

The 256 ways in which the eight corners of a cube can lie inside or outside of a
region, and the triangles that separate them. Data of W. E. Lorensen and H. E. Cline,
"Marching cubes", SIGGRAPH 1987, in the form that Paul Bourke placed in the public
domain ("Polygonising a scalar field", 1994; table by Cory Gene Bloyd).

Like PyRadiomics (van Griethuysen et al., Cancer Research 2017), only the 128 cases
whose last corner lies outside are used, the others by their complement; and a cube
that is cut by two separate surfaces has the triangles of both (cases 30, 45, 53, 60,
75, 83, 85, 86, 89, 92, 101, 105, 106, 120), where the classic table sometimes cuts a
polygon along its other diagonal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _rows_of_digits(text: str) -> NDArray[np.int64]:
    return np.array([[int(digit) for digit in row] for row in text.split()])


CORNERS = _rows_of_digits("000 001 011 010 100 101 111 110")
"""Corners of a cube; corner n sets bit n of the case."""

_EDGES = _rows_of_digits("01 12 23 30 45 56 67 74 04 15 26 37")

_TABLE = """
- 083 019 183981 12a 08312a 92a029 2832a8a98 3b2 0b28b0 19023b 1b219b98b 3a1ba3
0a108a8ba 3903b9ba9 98aa8b 478 430734 019847 419471731 12a847 34730412a 92a902847
2a9297273794 8473b2 b47b24204 90184723b 47b94b9b2921 3a13ba784 1ba14b1047b4
4783903b9ba9 47b4b99ba 954 954083 054150 854835315 12a954 30812a495 52a542402
2a5325354348 95423b 0b208b495 05401523b 21525828b485 a3ba13954 9540a108a8ba
54050b5bab03 54858aa8b 978579 930953573 078017157 153357 978957a12 12a930953573
802825857a52 2a5253357 7957893b2 95797292027b 23b018178157 b21b17715 9785793a1ba3
5705097b010aba0 ba0b03a50807570 ba57b5 a65 0835a6 9015a6 1831985a6 165261 165126308
965906026 598582526328 23ba65 b08b20a65 01923b5a6 a651b219b98b 63b653513 08b0b50515b6
3b6036065059 65969bb98 5a6478 43047365a 1905a6847 a65419471731 612651478 430734165261
478965906026 739794329596269 3b2784a65 a65b47b24204 01947823b5a6 9219b294b7b45a6
47863b653513 51b5b610b7b404b 059065036b63847 65969b4797b9 a4964a 4a649a083 a01a60640
83181686461a 149124264 083149124264 024426 832824426 a49a64b23 0b28b0a4964a
3b2a01a60640 64161a48121b8b1 964936913b63 8b1810b61914641 3b6360064 648b68 7a678a89a
0730a709a67a a671a7178180 a67a71173 126168189867 269291679093739 780706602 732672
3b27a678a89a 20727b09767a9a7 1801781a767a23b b21b17a61671 896867916b63136 091b67
7807063b0b60 7b6
"""
"""For each case, three hexadecimal edge numbers per triangle; - is no triangle."""


def case_geometry(
    spacing: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Measure the surface of every case for cubes of the given edge lengths.

    Args:
        spacing: Edge lengths, shape (3,), in the order of the axes of `CORNERS`.

    Returns:
        Area, shape (256,); six times the signed volume between the surface and the
        cube's first corner, shape (256,); and what that gains when the cube is moved
        by one unit, shape (256, 3).
    """
    middles = CORNERS[_EDGES].mean(axis=1) * spacing
    cases = [digits.strip("-") for digits in _TABLE.split()]
    case = np.repeat(np.arange(128), [len(digits) // 3 for digits in cases])
    edges = np.array([int(digit, 16) for digit in "".join(cases)]).reshape(-1, 3)
    a, b, c = np.moveaxis(middles[edges], 1, 0)
    cross = np.cross(a, b)
    turned = cross + np.cross(b, c) + np.cross(c, a)
    area, volume, normal = np.zeros(256), np.zeros(256), np.zeros((256, 3))
    np.add.at(area, case, 0.5 * np.linalg.norm(turned, axis=1))
    np.add.at(volume, case, (cross * c).sum(axis=1))
    np.add.at(normal, case, turned)
    return area + area[::-1], volume - volume[::-1], normal - normal[::-1]
