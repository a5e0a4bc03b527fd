"""Every error that a user can cause.

    RadHabitatError
    ├── SettingsError      study.toml: a wrong name, value or combination
    ├── InputError         what the user gave cannot be used
    │   ├── ImageError       an image: missing, unreadable, 4D, NaN, constant
    │   ├── MaskError        a mask: empty, elsewhere, too small, several labels
    │   └── TableError       a table: columns, ids, outcome, cells
    ├── ComputationError   the input was good, a stage could not finish
    └── StorageError       results cannot be written or read back

Each carries the problem and the way to fix it; both stay in `args`, so that an
error survives the way back from a worker process.
"""

from __future__ import annotations


class RadHabitatError(Exception):
    """A problem that its reader can fix; the message says how.

    Args:
        problem: What is wrong: the patient, the number found, the number wanted.
        fix: What to do about it, as an imperative.
    """

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem, fix)
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.problem}\n  To fix it: {self.fix}"


class SettingsError(RadHabitatError):
    """The study file asks for something that does not exist or contradicts itself."""


class InputError(RadHabitatError):
    """What the user gave cannot be used."""


class ImageError(InputError):
    """An image is missing, unreadable, of the wrong kind, or without content."""


class MaskError(InputError):
    """A tumor mask is missing, empty, outside the image, or too small."""


class TableError(InputError):
    """A table lacks a column, repeats a patient, or holds unusable cells."""


class ComputationError(RadHabitatError):
    """A stage could not finish although its input was readable."""


class StorageError(RadHabitatError):
    """A result cannot be written, or was altered since it was written."""
