"""One patient's steps: what each reads, computes, writes, and when it is stale.

    landmarks_of_patient   images -> what normalization nyul learns from
    align_patient          images and masks -> aligned images, a survey of the tumor
    divide_patients        all surveys -> one k, each patient's partition
    describe_patient       aligned images, its partition -> habitats, feature row
    repeat_patient         the same, drawn, scanned or started otherwise -> feature rows

A step is a function of one task that can run in any process. It ends in a record
that holds the hash of all it depends on; a run with the same hash computes nothing.
"""

from radhabitat.steps.aligned import (
    Aligned,
    align_patient,
    landmarks_of_patient,
    read_aligned,
)
from radhabitat.steps.cohort import (
    Divided,
    divide_patients,
    habitat_rows,
    match_rows,
)
from radhabitat.steps.described import Described, describe_patient
from radhabitat.steps.repeated import Repeat, RepeatTask, repeat_patient
from radhabitat.steps.task import HabitatTask, PatientTask

__all__ = [
    "Aligned",
    "Described",
    "Divided",
    "HabitatTask",
    "PatientTask",
    "Repeat",
    "RepeatTask",
    "align_patient",
    "describe_patient",
    "divide_patients",
    "habitat_rows",
    "landmarks_of_patient",
    "match_rows",
    "read_aligned",
    "repeat_patient",
]
