from __future__ import annotations

import json
import socket

import dicom_samples as samples
import numpy as np
import pytest

pytest.importorskip("pynetdicom")
pytest.importorskip("httpx")

from fake_pacs import Archive, dimse_pacs, web_pacs
from typer.testing import CliRunner

from radhabitat.cli import app
from radhabitat.dicom import read_volumes
from radhabitat.dicom.pacs import (
    PASSWORD,
    Profile,
    Query,
    fetch,
    find,
    password_of,
    read_profile,
    send,
)
from radhabitat.dicom.pacs import (
    test_connection as connect,
)
from radhabitat.errors import InputError, SettingsError

pytestmark = pytest.mark.slow

STUDY, SERIES = "1.2.99", "1.2.3"


def complete(file, k, phase):
    file.SpecificCharacterSet = "ISO_IR 192"
    file.PatientName, file.PatientID = "张^三", "MRN1"
    file.StudyInstanceUID, file.StudyDate = STUDY, "20230714"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def archive(tmp_path):
    return Archive(samples.series(tmp_path / "pacs", edit=complete))


@pytest.fixture(params=["get", "move", "web"])
def pacs(request, archive):
    """An archive, and a profile of it, for each way of retrieval."""
    if request.param == "web":
        with web_pacs(archive) as url:
            yield archive, Profile(url=url, timeout_s=5)
        return
    port = free_port()
    peers = {"RADHABITAT": ("127.0.0.1", port)}
    with dimse_pacs(archive, peers=peers) as pacs_port:
        yield (
            archive,
            Profile(
                port=pacs_port,
                called="TESTPACS",
                retrieve=request.param,
                receive_host="127.0.0.1",
                receive_port=port,
                timeout_s=5,
            ),
        )


def fetched(folder) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def wanted(archive) -> list[str]:
    return sorted(f"{d.SOPInstanceUID}.dcm" for d in archive.files.values())


def test_a_study_is_found_once_by_a_name_that_is_not_ascii(pacs):
    archive, profile = pacs
    (study,) = find(profile, Query(name="张*"))
    assert (study.StudyInstanceUID, study.PatientID) == (STUDY, "MRN1")
    assert find(profile, Query(name="李*")) == []
    (series,) = find(profile, Query(study=STUDY))
    assert series.SeriesInstanceUID == SERIES
    if not profile.url:
        assert archive.queries[0].SpecificCharacterSet == "ISO_IR 192"


def test_a_study_is_fetched_whole_and_gives_the_same_voxels(pacs, tmp_path):
    archive, profile = pacs
    assert fetch(profile, Query(study=STUDY), tmp_path / "out") == 6
    assert fetched(tmp_path / "out") == wanted(archive)
    (volume,) = read_volumes(tmp_path / "out")
    np.testing.assert_array_equal(volume.read().array, samples.picture())


def test_a_retrieve_that_breaks_off_goes_on_and_sends_nothing_twice(pacs, tmp_path):
    archive, profile = pacs
    archive.break_after = 3
    told = []
    fetch(profile, Query(study=STUDY), tmp_path, lambda *step: told.append(step))
    assert fetched(tmp_path / SERIES) == wanted(archive)
    # of a multipart answer, the last image is known to be whole by what follows it
    again = len(archive.sent) - len(set(archive.sent))
    assert (len(set(archive.sent)), again) == (6, 1 if profile.url else 0)
    assert [done for _, done, _ in told] == [1, 2, 3, 4, 5, 6]
    assert told[-1] == ("Fetching images", 6, 6)
    sent = len(archive.sent)
    assert fetch(profile, Query(study=STUDY), tmp_path) == 6
    assert len(archive.sent) == sent


def test_objects_are_stored(pacs):
    archive, profile = pacs
    told = []
    files = sorted(archive.files)
    assert send(profile, files, lambda *step: told.append(step)) == 6
    assert {d.SOPInstanceUID for d in archive.stored} == {
        d.SOPInstanceUID for d in archive.files.values()
    }
    assert told[-1] == ("Sending", 6, 6)


def test_a_file_that_is_no_dicom_is_not_sent(tmp_path):
    (tmp_path / "a.dcm").write_text("no")
    with pytest.raises(InputError, match=r"a\.dcm is not a DICOM file"):
        send(Profile(), [tmp_path / "a.dcm"])


def test_a_connection_that_works_says_so(pacs):
    _, profile = pacs
    assert all(step.good for step in connect(profile))


def failing(profile) -> str:
    *_, last = connect(profile)
    assert not last.good
    return f"{last.what} | {last.fix}"


def test_the_real_cause_is_told(archive):
    closed = Profile(port=free_port(), timeout_s=2)
    assert "nothing listens there" in failing(closed)
    with dimse_pacs(archive) as port:
        assert "is not called WRONG" in failing(Profile(port=port, called="WRONG"))
        stranger = Profile(port=port, called="TESTPACS", calling="STRANGER")
        assert "does not know our AE title STRANGER" in failing(stranger)
    with dimse_pacs(archive, find=False) as port:
        profile = Profile(port=port, called="TESTPACS")
        steps = connect(profile)
        assert [step.good for step in steps] == [True, True, False]
        assert "refuses the query (status 0xA700)" in steps[-1].what


def test_a_web_server_that_refuses_is_told(archive):
    assert "cannot be reached" in failing(Profile(url="http://127.0.0.1:9/x"))
    for status, says in ((401, "password"), (404, "url"), (403, "right")):
        with web_pacs(archive, status=status) as url:
            text = failing(Profile(url=url))
            assert f"answers {status}" in text
            assert says in text


def test_a_move_to_a_node_the_pacs_does_not_know_says_both_causes(archive, tmp_path):
    with dimse_pacs(archive) as port:
        profile = Profile(
            port=port,
            called="TESTPACS",
            retrieve="move",
            receive_host="127.0.0.1",
            receive_port=free_port(),
            timeout_s=5,
        )
        with pytest.raises(InputError, match=r"6 of 6 .*could not send to RADHABITAT"):
            fetch(profile, Query(study=STUDY), tmp_path)


def test_an_unknown_study_is_told(pacs, tmp_path):
    with pytest.raises(InputError, match="no such study"):
        fetch(pacs[1], Query(study="1.2.77"), tmp_path)


def test_the_commands_find_fetch_send_and_test(pacs, tmp_path):
    archive, profile = pacs
    file = tmp_path / "pacs.toml"
    fields = profile.model_dump(exclude_defaults=True)
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    file.write_text("\n".join(["[pacs]", *lines]))

    def run(*words):
        done = CliRunner().invoke(app, ["pacs", *words, "--profile", str(file)])
        assert done.exit_code == 0, done.output
        return done.output

    assert "ok " in run("test")
    assert STUDY in run("find", "--patient", "MRN*")
    assert SERIES in run("find", "--study", STUDY)
    assert "6 images are in" in run("fetch", STUDY, str(tmp_path / "out"))
    assert "Sent 6 files" in run("send", str(tmp_path / "out"))
    assert len(archive.stored) == 6


def test_a_profile_holds_no_password(tmp_path, monkeypatch):
    file = tmp_path / "pacs.toml"
    file.write_text('[pacs]\nurl = "http://x"\nuser = "me"\n')
    profile = read_profile(file)
    monkeypatch.setenv(PASSWORD, "hidden")
    assert password_of(profile) == "hidden"
    monkeypatch.delenv(PASSWORD)
    with pytest.raises(SettingsError, match="no password for the user me"):
        password_of(profile)
    file.write_text('[pacs]\npassword = "hidden"\n')
    with pytest.raises(SettingsError, match=r"\[pacs\] password") as caught:
        read_profile(file)
    assert "hidden" not in str(caught.value)
    with pytest.raises(SettingsError, match="no usable section"):
        read_profile(tmp_path / "missing.toml")
