import dataclasses
import importlib
import subprocess
import sys

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from radhabitat.errors import ComputationError, ImageError
from radhabitat.preprocessing import align
from radhabitat.preprocessing.resample import resample_mask
from radhabitat.preprocessing.search import Found
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Grid, Mask, Subject, Volume

REGISTER = importlib.import_module("radhabitat.preprocessing.register")
ANTS = importlib.import_module("radhabitat.preprocessing.engine_ants")

FAST = PreprocessingSettings(bias_correction=False, registration="rigid")
STILL = FAST.model_copy(update={"registration": "none"})
CENTER = np.array([40.0, -5.0, 5.0])

# Signal of air, wall, inside, liver, vessel, spine, viable and dead tumor.
SIGNAL = {
    "PRE": [4, 300, 120, 180, 150, 130, 140, 105],
    "LAP": [4, 300, 140, 220, 330, 160, 380, 130],
    "PVP": [4, 300, 170, 330, 420, 190, 290, 120],
}


def tissue_at(p):
    x, y, z = np.moveaxis(p, -1, 0)
    tissue = np.zeros(p.shape[:-1], int)
    tissue[(x / 125) ** 2 + (y / 95) ** 2 < 1] = 1
    tissue[(x / 115) ** 2 + (y / 85) ** 2 < 1] = 2
    liver = ((x - 40) / 65) ** 2 + (y / 65) ** 2 + (z / 75) ** 2 < 1
    tissue[liver] = 3
    for k in range(4):
        tissue[liver & (np.hypot(x - 15 - 14 * k, y - 25 + 15 * k + 0.2 * z) < 5)] = 4
    tissue[np.hypot(x, y + 65) < 16] = 5
    radius = (np.abs((p - CENTER) / [20, 17, 18]) ** 2).sum(axis=-1)
    tissue[radius < 1] = 6
    tissue[radius < 0.35] = 7
    return tissue


def points_of(grid):
    index = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1)
    return grid.to_mm(index.astype(float))


def body_grid(shape=(90, 70, 32), spacing=(2.9, 2.9, 4.5)):
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -np.array(spacing) * (np.array(shape) - 1) / 2
    return Grid(shape, affine)


def scan(sequence, motion, grid, *, seed):
    """Organs moved by `motion` (reference -> sequence), spine and wall standing."""
    p = points_of(grid)
    back = np.linalg.inv(motion)
    moved = p @ back[:3, :3].T + back[:3, 3]
    x, y, _ = np.moveaxis(p, -1, 0)
    inner = np.clip(4 * (1 - (x / 115) ** 2 - (y / 85) ** 2), 0, 1)
    free = inner * np.clip((np.hypot(x, y + 65) - 16) / 20, 0, 1)
    q = p + free[..., None] * (moved - p)
    tissue = tissue_at(q)
    signal = np.array(SIGNAL[sequence], float)[tissue]
    texture = np.sin(q / [5, 6, 7]).prod(axis=-1) * (tissue > 2)
    rng = np.random.default_rng(seed)
    real = signal * (1 + 0.08 * texture) * np.exp(0.3 * x / 125)
    noise = rng.normal(0, 6, (2, *grid.shape))
    return Volume(np.hypot(real + noise[0], noise[1]), grid)


def motion_of(shift, *, seed):
    """A small affine about the tumor, then a shift: (4, 4)."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(4)
    matrix[:3, :3] += rng.normal(0, 0.012, (3, 3))
    matrix[:3, 3] = CENTER - matrix[:3, :3] @ CENTER + shift
    return matrix


MOTIONS = {
    "PRE": motion_of([3, 4, -9], seed=1),
    "LAP": motion_of([-2, 5, 12], seed=2),
    "PVP": np.eye(4),
}


@pytest.fixture(scope="module")
def patient():
    grid = body_grid()
    images = {
        s: scan(s, motion, grid, seed=i)
        for i, (s, motion) in enumerate(MOTIONS.items())
    }
    tumor = Mask(np.isin(tissue_at(points_of(grid)), (6, 7)), grid)
    return Subject("P1", images, "PVP", tumor, notes=("read from a test",))


@pytest.fixture(scope="module")
def aligned(patient):
    return align(patient, PreprocessingSettings(), seed=7)


def error_mm(transform, motion, tumor):
    p = np.c_[tumor.points_mm(), np.ones(tumor.voxels)]
    return np.linalg.norm((p @ (transform - motion).T)[:, :3], axis=1)


def block_subject(*, shape=(24, 22, 20), spacing=2.0, others=("PRE",), seed=0):
    """A small bright block in noise, the same in every sequence."""
    rng = np.random.default_rng(seed)
    grid = Grid(shape, np.diag([spacing, spacing, spacing, 1.0]))
    block = np.zeros(shape, bool)
    block[tuple(slice(n // 3, max(2 * n // 3, n // 3 + 1)) for n in shape)] = True
    texture = rng.uniform(0, 30, shape)
    images = {
        s: Volume(100.0 + 80 * block + texture + rng.normal(0, 2, shape), grid)
        for s in (*others, "PVP")
    }
    return Subject("P2", images, "PVP", Mask(block, grid))


@pytest.mark.slow
def test_the_tumor_is_found_where_breathing_put_it(aligned, patient):
    for sequence in ("PRE", "LAP"):
        motion = MOTIONS[sequence]
        before = error_mm(np.eye(4), motion, patient.tumor).mean()
        after = error_mm(aligned.transforms[sequence].matrix, motion, patient.tumor)
        assert before > 9
        assert after.mean() < 1.5
    np.testing.assert_array_equal(aligned.transforms["PVP"].matrix, np.eye(4))


@pytest.mark.slow
def test_a_rigid_registration_neither_stretches_nor_shears(patient):
    settings = FAST.model_copy(update={"registration": "rigid"})
    transform = align(patient, settings, seed=7).transforms["PRE"].matrix
    stretch = np.linalg.svd(transform[:3, :3], compute_uv=False)
    np.testing.assert_allclose(stretch, 1.0, atol=1e-4)
    assert error_mm(transform, MOTIONS["PRE"], patient.tumor).mean() < 1.5


@pytest.mark.slow
def test_registration_leaves_no_file_behind(patient, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    align(patient, FAST, seed=7)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_missing_engine_is_said_and_costs_no_patient(patient, monkeypatch):
    monkeypatch.setitem(sys.modules, "ants", None)
    result = align(patient, FAST, seed=7)
    assert any("ANTs cannot be loaded" in note for note in result.notes)
    assert result.quality["PRE"]["displacement_mm"] > 5


@pytest.mark.slow
def test_aligned_images_show_the_reference_tissue_at_each_voxel(aligned):
    tissue = tissue_at(points_of(aligned.grid))
    lap = aligned.images["LAP"].array
    assert lap[tissue == 6].mean() > 1.5 * lap[tissue == 3].mean()
    pre = aligned.images["PRE"].array
    assert pre[tissue == 7].mean() < 0.8 * pre[tissue == 6].mean()


@pytest.mark.slow
def test_quality_tells_before_from_after(aligned):
    for sequence in ("PRE", "LAP"):
        quality = aligned.quality[sequence]
        assert quality["nmi_after"] > quality["nmi_before"]
        assert quality["ring_nmi_after"] > quality["ring_nmi_before"]
        assert quality["mi_after"] > quality["mi_before"]
        assert quality["peak_ratio"] > 1.4
        assert 9 < quality["displacement_mm"] < 15
        assert quality["region_in_view"] == quality["tumor_in_view"] == 1.0
        assert quality["bias_range"] > 1.2
    assert "peak_ratio" not in aligned.quality["PVP"]
    assert aligned.notes[0] == "read from a test"


@pytest.mark.slow
def test_the_same_patient_gives_the_same_bytes_again(aligned, patient):
    again = align(patient, PreprocessingSettings(), seed=7)
    for sequence, image in aligned.images.items():
        assert image.array.tobytes() == again.images[sequence].array.tobytes()
        first, second = (
            aligned.transforms[sequence].matrix,
            again.transforms[sequence].matrix,
        )
        assert first.tobytes() == second.tobytes()
    assert aligned.quality == again.quality


def test_every_image_reaches_from_0_to_1_over_its_whole_extent():
    subject = block_subject()
    result = align(subject, STILL, seed=1)
    for image in result.images.values():
        assert image.array.min() >= 0.0
        assert image.array.max() <= 1.0
    native = subject.images["PVP"].array
    core = binary_erosion(subject.tumor.array, iterations=2)
    mean = (native[core].mean() - native.min()) / np.ptp(native)
    inside = resample_mask(Mask(core, subject.tumor.grid), result.grid).array
    assert result.images["PVP"].array[inside].mean() == pytest.approx(mean, abs=0.02)


@pytest.mark.parametrize("how", ["zscore", "none"])
def test_other_scales_are_those_of_the_whole_native_image(how):
    subject = block_subject()
    settings = STILL.model_copy(update={"normalization": how})
    result = align(subject, settings, seed=1).images["PVP"].array
    plain = (
        align(subject, STILL.model_copy(update={"normalization": "none"}), seed=1)
        .images["PVP"]
        .array
    )
    native = subject.images["PVP"].array
    wanted = (plain - native.mean()) / native.std() if how == "zscore" else plain
    np.testing.assert_allclose(result, wanted, atol=2e-4)


def test_one_sequence_alone_needs_no_registration():
    result = align(block_subject(others=()), FAST, seed=1)
    assert list(result.images) == ["PVP"]
    assert result.notes == ()
    assert result.quality["PVP"]["tumor_in_view"] == 1.0
    assert "nmi_after" not in result.quality["PVP"]


def test_registration_none_leaves_every_sequence_where_it_was():
    result = align(block_subject(), STILL, seed=1)
    np.testing.assert_array_equal(result.transforms["PRE"].matrix, np.eye(4))
    assert result.quality["PRE"]["displacement_mm"] == 0.0


@pytest.mark.parametrize("shape", [(24, 22, 1), (24, 1, 20), (1, 22, 20)])
def test_a_single_slice_passes_unregistered_and_says_so(shape):
    result = align(block_subject(shape=shape), PreprocessingSettings(), seed=1)
    assert result.tumor.voxels > 0
    assert any("too thin" in note for note in result.notes)


def test_a_slice_thinner_than_the_raster_passes_too():
    subject = block_subject(shape=(40, 40, 1), spacing=0.6)
    result = align(subject, FAST, seed=1)
    assert result.tumor.voxels > 0
    assert any("too thin" in note for note in result.notes)


def moved_to(subject, shift_mm):
    affine = np.eye(4)
    affine[:3, 3] = shift_mm
    image = subject.images["PRE"]
    grid = Grid(image.grid.shape, affine @ image.grid.affine)
    images = {**subject.images, "PRE": Volume(image.array, grid)}
    return Subject(subject.patient, images, "PVP", subject.tumor)


def test_a_sequence_acquired_elsewhere_is_an_error_that_names_it():
    subject = moved_to(block_subject(), [0, 0, 400])
    with pytest.raises(ImageError, match="PRE of patient P2 does not show the tumor"):
        align(subject, FAST, seed=1)


def test_a_sequence_that_misses_the_tumor_is_an_error_even_unregistered():
    subject = moved_to(block_subject(), [0, 0, 29])
    with pytest.raises(ImageError, match="PRE of patient P2 shows no voxel"):
        align(subject, STILL, seed=1)


def test_a_tumor_partly_out_of_view_is_filled_and_the_share_is_said():
    subject = moved_to(block_subject(), [0, 0, 20])
    result = align(subject, STILL, seed=1)
    share = result.quality["PRE"]["tumor_in_view"]
    assert 0.2 < share < 0.8
    note = f"PRE: {100 * (1 - share):.1f} % of the tumor lies outside"
    assert any(text.startswith(note) for text in result.notes)


def test_an_engine_that_gives_up_leaves_the_best_of_the_rest(patient, monkeypatch):
    def give_up(*_, **__):
        raise ComputationError("ANTs gave up: no reason", "look")

    monkeypatch.setattr(ANTS, "register_linear", give_up)
    result = align(patient, FAST, seed=7)
    motion = MOTIONS["PRE"]
    error = error_mm(result.transforms["PRE"].matrix, motion, patient.tumor)
    assert error.mean() < 3.5
    assert "PRE: ANTs gave up: no reason" in result.notes
    assert "PRE: the translation alone fits best and was kept" in result.notes


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (np.diag([0.5, 1, 1, 1.0]), "it stretches the tumor by 0.50 to 1.00"),
        (np.array([[1.0, 0, 0, 9], *np.eye(4)[1:].tolist()]), "by 9 mm"),
    ],
)
def test_an_impossible_motion_is_refused(patient, monkeypatch, change, reason):
    monkeypatch.setattr(
        ANTS,
        "register_linear",
        lambda *_, start, **__: (
            change @ start if change[0, 0] == 1.0 else start @ change
        ),
    )
    result = align(patient, FAST, seed=7)
    assert any("was refused" in note and reason in note for note in result.notes)
    stretch = np.linalg.svd(result.transforms["PRE"].matrix[:3, :3], compute_uv=False)
    np.testing.assert_allclose(stretch, 1.0)


def test_a_worse_registration_gives_way_to_the_translation(patient, monkeypatch):
    off = np.eye(4)
    off[:3, 3] = [0, 5, 0]
    monkeypatch.setattr(ANTS, "register_linear", lambda *_, start, **__: off @ start)
    result = align(patient, FAST, seed=7)
    assert "LAP: the translation alone fits best and was kept" in result.notes


def test_another_patients_picture_stays_where_it_was_and_is_flagged(
    patient, monkeypatch
):
    monkeypatch.setattr(ANTS, "register_linear", lambda *_, start, **__: start)
    noise = np.random.default_rng(3).normal(100, 10, patient.tumor.grid.shape)
    images = {**patient.images, "LAP": Volume(noise, patient.tumor.grid)}
    stranger = Subject("P1", images, "PVP", patient.tumor)
    result = align(stranger, FAST, seed=7)
    np.testing.assert_array_equal(result.transforms["LAP"].matrix, np.eye(4))
    assert any(
        note.startswith("LAP: not registered, look at this sequence")
        for note in result.notes
    )
    assert result.quality["LAP"]["displacement_mm"] == 0.0


@pytest.mark.parametrize(
    ("found", "nmi", "kept", "words"),
    [
        (Found((0, 4, -8), 3.0, at_border=False), 1.05, True, ""),
        (Found((0, 4, -8), 1.3, at_border=False), 1.12, True, "registered, but look"),
        (Found((0, 4, -8), 1.3, at_border=False), 1.05, False, "(peak ratio 1.30"),
        (Found((0, 4, -8), 1.1, at_border=False), 1.12, False, "(peak ratio 1.10"),
        (
            Found((0, 4, -8), None, at_border=False),
            1.12,
            False,
            "too little is in view",
        ),
        (Found((0, 4, -8), 3.0, at_border=True), 1.12, False, "end of the search"),
    ],
)
def test_only_a_clear_or_a_well_agreeing_position_is_believed(
    patient, monkeypatch, found, nmi, kept, words
):
    def agree(judge, transform):
        mi = {"mi_before": 0.1, "mi_after": 0.2}
        return {"nmi_after": nmi, "ring_nmi_after": 1.05, **mi}

    monkeypatch.setattr(REGISTER, "search_translation", lambda *_, **__: found)
    monkeypatch.setattr(ANTS, "register_linear", lambda *_, start, **__: start)
    monkeypatch.setattr(REGISTER.Judge, "best", lambda *_: "rigid")
    monkeypatch.setattr(REGISTER.Judge, "compare", agree)
    result = align(patient, FAST, seed=7)
    moved = not np.array_equal(result.transforms["PRE"].matrix, np.eye(4))
    assert moved == kept
    said = [n for n in result.notes if n.startswith("PRE: ") and "phases" not in n]
    assert (not said) if not words else words in said[0]


def test_a_sequence_on_another_tilted_grid_is_found(patient, monkeypatch):
    """The search works in the reference's axes, whatever the other's are."""
    turn = np.eye(4)
    c, s = np.cos(0.2), np.sin(0.2)
    turn[:2, :2] = [[c, -s], [s, c]]
    flat = body_grid((80, 84, 36), (3.1, 2.6, 4.0))
    mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
    grid = Grid(flat.shape, turn @ mirror @ flat.affine)
    shift = np.eye(4)
    shift[:3, 3] = [2, 4, -8]
    images = {**patient.images, "LAP": scan("LAP", shift, grid, seed=5)}
    del images["PRE"]
    monkeypatch.setattr(ANTS, "register_linear", lambda *_, start, **__: start)
    subject = Subject("P1", images, "PVP", patient.tumor)
    result = align(subject, FAST, seed=7)
    error = error_mm(result.transforms["LAP"].matrix, shift, patient.tumor)
    assert error.mean() < 3.0


def test_importing_the_package_does_not_import_ants():
    code = "import sys, radhabitat.preprocessing; print('ants' in sys.modules)"
    done = subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def stored_otherwise(image):
    """The same picture with its axes in another order and sense."""
    array = np.transpose(image.array, (1, 2, 0))[:, ::-1]
    turn = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
    turn = np.linalg.inv(turn)
    flip = np.diag([1.0, -1.0, 1.0, 1.0])
    flip[1, 3] = array.shape[1] - 1
    return Volume(array, Grid(array.shape, image.grid.affine @ turn @ flip))


def test_how_a_file_stores_its_axes_changes_nothing():
    subject = block_subject()
    turned = dataclasses.replace(
        subject, images={s: stored_otherwise(v) for s, v in subject.images.items()}
    )
    settings = PreprocessingSettings()
    one, other = (align(s, settings, seed=1) for s in (subject, turned))
    for sequence, image in one.images.items():
        assert image.array.tobytes() == other.images[sequence].array.tobytes()
    assert one.grid.same_as(other.grid)
