"""One decorator for the loops that Python is too slow for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(loop: Loop) -> Loop:
    """Compile a loop at its first call, without the interpreter's lock.

    The machine code is kept beside the module, or in the user's cache folder where
    the package cannot be written to; where neither can, it is compiled again in
    every process.
    """
    try:
        return cast(Loop, numba.njit(nogil=True, cache=True)(loop))
    except RuntimeError:  # numba found no folder that it could write to
        return cast(Loop, numba.njit(nogil=True)(loop))
