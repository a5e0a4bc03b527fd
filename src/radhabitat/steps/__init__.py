"""One patient's steps: what each reads, computes, writes, and when it is stale.

    landmarks_of_patient   images -> what normalization nyul learns from
    align_patient      images and masks -> aligned images, the tumor's own k
    describe_patient   aligned images, the cohort's k -> habitats, feature row
    repeat_patient     the same from other drawings of the tumor -> feature rows

A step is a function of one task that can run in any process. It ends in a record
that holds the hash of all it depends on; a run with the same hash computes nothing.
"""

from radhabitat.steps.aligned import (
    Aligned,
    align_patient,
    landmarks_of_patient,
    read_aligned,
)
from radhabitat.steps.described import Described, describe_patient, repeat_patient
from radhabitat.steps.task import HabitatTask, PatientTask

__all__ = [
    "Aligned",
    "Described",
    "HabitatTask",
    "PatientTask",
    "align_patient",
    "describe_patient",
    "landmarks_of_patient",
    "read_aligned",
    "repeat_patient",
]
