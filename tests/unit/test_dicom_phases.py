from __future__ import annotations

import pytest

from radhabitat.dicom.phases import WANTED, Candidate, label_phases


def labels_of(rows, bolus_s=None):
    volumes = [
        Candidate(name, time_s=time_s, agent=bool(agent), bolus_s=bolus_s)
        for name, time_s, agent in rows
    ]
    return label_phases(volumes)


def picks(labels):
    return [labels[p].index if p in labels else None for p in WANTED]


VIBE = "t1_vibe_fs_tra_bh"
LAVA = "WATER:Ax LAVA-Flex"


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (  # Siemens
            [
                ("t2_haste_tra", 0, 0),
                (f"{VIBE}_pre", 300, 0),
                (f"{VIBE}_art", 395, 1),
                (f"{VIBE}_pv", 432, 1),
                (f"{VIBE}_delay", 550, 1),
            ],
            [1, 2, 3, 4],
        ),
        (  # UIH, Chinese
            [
                ("t1_quick3d_fs_tra_bh_平扫", 0, 0),
                ("t1_quick3d_tra_动脉晚期", 95, 1),
                ("t1_quick3d_tra_门脉期", 132, 1),
                ("t1_quick3d_tra_延迟期", 250, 1),
            ],
            [0, 1, 2, 3],
        ),
        (  # GE, delays; agent in every header
            [
                (f"{LAVA} Pre", 0, 1),
                (f"{LAVA}+C 30s", 95, 1),
                (f"{LAVA}+C 70s", 132, 1),
                ("FAT:Ax LAVA-Flex+C 70s", 132, 1),
                ("SUB 70s", 132, 1),
                ("WATER: BH Ax LAVA-Flex-3min", 250, 1),
            ],
            [0, 1, 2, 5],
        ),
        ([("dyn eTHRIVE BH", t, 1) for t in (0, 95, 132, 280)], [0, 1, 2, 3]),
        ([(f"{VIBE}_p2_320", t, t > 0) for t in (0, 95, 132, 280)], [0, 1, 2, 3]),
        (  # double arterial
            [
                ("Ax LAVA pre", 0, 0),
                ("Ax LAVA art", 80, 1),
                ("Ax LAVA art", 95, 1),
                ("Ax LAVA PV", 130, 1),
                ("Ax LAVA delay", 280, 1),
            ],
            [0, 2, 3, 4],
        ),
        (  # gadoxetate: the hepatobiliary phase is not DP
            [
                ("eTHRIVE pre", 0, 0),
                ("eTHRIVE art", 95, 1),
                ("eTHRIVE pvp", 132, 1),
                ("eTHRIVE 3min", 250, 1),
                ("eTHRIVE HBP 20min", 1300, 1),
            ],
            [0, 1, 2, 3],
        ),
        (
            [
                ("eTHRIVE pre", 0, 0),
                ("eTHRIVE art", 95, 1),
                ("eTHRIVE pvp", 132, 1),
                ("eTHRIVE HBP", 1300, 1),
            ],
            [0, 1, 2, None],
        ),
        (  # no times at all
            [
                ("*AX DYN  PRE", None, 0),
                ("*AX DYN 30 SEC POST", None, 0),
                ("*AX DYN 70 SEC POST", None, 0),
                ("*AX DYN 3MIN SEC POST", None, 0),
                ("*AX DYN 5MIN SEC POST", None, 0),
            ],
            [0, 1, 2, 3],
        ),
        (
            [("vibe pre", 0, 0), ("vibe art", 95, 1), ("vibe pv", 132, 1)],
            [0, 1, 2, None],
        ),
        ([("T1", 0, 0), ("T2", 60, 0)], [None] * 4),
        # sagittal breast: three phases, minutes apart
        ([("Sagittal-IR_3DFGRE", t, 1) for t in (0, 407, 761)], [0, 1, None, 2]),
        (
            [
                ("vibe pre", 0, 0),
                ("vibe cor pv", 140, 1),
                ("vibe art", 95, 1),
                ("vibe pv", 132, 1),
            ],
            [0, 2, 3, None],
        ),
    ],
)
def test_phases_are_found_by_names_agents_and_times(rows, wanted):
    assert picks(labels_of(rows)) == wanted


def test_the_later_of_two_unnamed_arterial_volumes_is_taken_by_the_bolus_time():
    labels = labels_of([("dyn", t, 1) for t in (0, 90, 100, 135, 250)], bolus_s=65)
    assert picks(labels) == [0, 2, 3, 4]


def test_names_that_agree_with_times_are_certain_and_say_why():
    times = (0, 95, 132, 250)
    rows = [(f"vibe {p}", t, t > 0) for p, t in zip(WANTED, times, strict=True)]
    labels = labels_of(rows)
    assert {one.certainty for one in labels.values()} == {"high"}
    assert "its name says PVP" in labels["PVP"].evidence
    assert any("67 s after" in line for line in labels["PVP"].evidence)


def test_volumes_without_names_times_or_agents_must_be_chosen():
    labels = labels_of([("dyn", None, 0)] * 4)
    assert {one.certainty for one in labels.values()} == {"choose"}


def test_volumes_told_apart_by_time_only_ask_to_be_checked():
    labels = labels_of([("dyn", t, 0) for t in (0, 95, 132, 280)])
    assert {one.certainty for one in labels.values()} <= {"high", "check"}
    assert "check" in {one.certainty for one in labels.values()}
