"""A real Orthanc. It binds all interfaces, so it gets a network of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
import dicom_samples as samples

from radhabitat.dicom import read_volumes

PLUGINS = Path("/usr/share/orthanc/plugins")
CLIENT = Path(__file__).with_name("orthanc_client.py")
SCRIPT = 'ip link set lo up; Orthanc "$1" >"$2" 2>&1 & exec "$3" "$4" "$5"'

pytestmark = [pytest.mark.slow, pytest.mark.network]


def isolated(*command: str) -> subprocess.CompletedProcess[str]:
    whole = ["unshare", "--map-root-user", "--net", "--pid", "--fork", *command]
    return subprocess.run(  # noqa: S603
        whole, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    missing = [c for c in ("Orthanc", "unshare", "ip") if shutil.which(c) is None]
    if missing or not PLUGINS.exists() or isolated("true").returncode:
        pytest.skip(f"no Orthanc or no namespaces ({', '.join(missing)})")
    work = tmp_path_factory.mktemp("orthanc")

    def edit(file, k, phase):
        file.SpecificCharacterSet = "ISO_IR 192"
        file.PatientName, file.PatientID = "张^三", "MRN1"
        file.StudyInstanceUID, file.StudyDate = "1.2.99", "20230714"

    samples.series(work / "series", edit=edit)
    settings = {
        "StorageDirectory": str(work / "db"),
        "IndexDirectory": str(work / "db"),
        "DicomPort": 4242,
        "HttpPort": 8042,
        "AuthenticationEnabled": False,
        "DefaultEncoding": "Utf8",
        "Plugins": [str(PLUGINS)],
        "DicomModalities": {"us": ["RADHABITAT", "127.0.0.1", 11112]},
    }
    config = work / "orthanc.json"
    config.write_text(json.dumps(settings))
    log = str(work / "log")
    python = (sys.executable, str(CLIENT), str(work))
    done = isolated("sh", "-c", SCRIPT, "sh", str(config), log, *python)
    assert done.returncode == 0, done.stderr[-2000:]
    return work, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("way", ["web", "get", "move"])
def test_orthanc_gives_back_what_was_sent(told, way):
    work, answers = told
    assert answers["sent"] == 6
    assert answers[way][:3] == ["MRN1", 0, 6]
    (volume,) = read_volumes(work / way)
    np.testing.assert_array_equal(volume.read().array, samples.picture())


def test_orthanc_answers_an_echo_of_strangers_but_refuses_their_query(told):
    steps = told[1]["stranger"]
    assert [good for _, good in steps] == [True, True, False]
