"""Compiled loops, also where nothing can be written."""

from __future__ import annotations

import numba

from radhabitat.features.compiled import compiled


def _double(number: int) -> int:
    return 2 * number


def test_a_loop_is_compiled_where_no_folder_for_machine_code_can_be_written(
    monkeypatch,
):
    compile_ = numba.njit

    def njit(*loops, **options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return compile_(*loops, **options)

    monkeypatch.setattr(numba, "njit", njit)
    loop = compiled(_double)
    assert loop(21) == 42
    assert loop.signatures
