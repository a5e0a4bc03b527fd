import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from radhabitat.preprocessing import align
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Grid, Mask, Subject, Volume

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("RADHABITAT_DATA", ROOT / ".." / "shared" / "data"))
BREAST = DATA / "breast_dce_3phase" / "nifti_cropped" / "UCSF-BR-06"
SARCOMA = DATA / "sts_ibsi_multimodal" / "cropped"

pytestmark = [pytest.mark.data, pytest.mark.slow]


def read(path):
    if not path.exists():
        pytest.skip(f"{path} is not there; set RADHABITAT_DATA")
    image = nibabel.load(path)
    return np.asarray(image.dataobj, np.float32), Grid(image.shape, image.affine)


def subject_of(folder, files, mask, *, reference):
    images = {s: Volume(*read(folder / f"{f}.nii.gz")) for s, f in files.items()}
    array, grid = read(folder / f"{mask}.nii.gz")
    return Subject(folder.name, images, reference, Mask(array > 0, grid))


def test_three_phases_of_a_still_breast_stay_and_agree_no_worse_than_before():
    files = {"PRE": "t1_pre", "EARLY": "t1_post1_early", "LATE": "t1_post2_late"}
    subject = subject_of(BREAST, files, "ftv_mask", reference="EARLY")
    aligned = align(subject, PreprocessingSettings(), seed=1)
    volume = aligned.tumor.volume_mm3
    assert volume == pytest.approx(subject.tumor.volume_mm3, rel=0.01)
    for sequence in ("PRE", "LATE"):
        quality = aligned.quality[sequence]
        assert quality["nmi_after"] >= quality["nmi_before"]
        assert quality["displacement_mm"] < 1.0
        assert quality["peak_ratio"] > 3.0
    assert aligned.notes == ()


@pytest.mark.parametrize("patient", ["STS_019", "STS_008"])
def test_mri_ct_and_pet_on_different_grids_share_one(patient):
    files = {s: s for s in ("MR_T1", "CT", "PET")}
    subject = subject_of(SARCOMA / patient, files, "MR_T1_mask", reference="MR_T1")
    aligned = align(subject, PreprocessingSettings(), seed=1)
    volume = aligned.tumor.volume_mm3
    # a border may fall on either side of the 1-mm raster: about one layer per axis
    assert volume == pytest.approx(subject.tumor.volume_mm3, rel=0.05)
    for sequence in ("CT", "PET"):
        quality = aligned.quality[sequence]
        assert quality["nmi_after"] >= quality["nmi_before"]
        assert quality["bias_corrected"] == 0.0
        assert quality["tumor_in_view"] == 1.0
    inside = aligned.tumor.array
    assert np.ptp(aligned.images["CT"].array[inside]) < 0.5
    assert aligned.images["PET"].array[inside].mean() > 0.2
