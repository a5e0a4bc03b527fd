import pytest

from radhabitat.errors import SettingsError
from radhabitat.settings import StudySettings, parse_settings


def test_an_empty_file_is_the_published_protocol():
    settings = parse_settings("")
    assert settings == StudySettings()
    assert settings.data.sequences == ("PRE", "LAP", "PVP", "DP")
    assert settings.preprocessing.spacing_mm == 1.0
    assert settings.habitats.k_max == 10
    assert settings.evaluation.bootstraps == 1000


def test_a_misspelt_setting_gets_the_nearest_known_one():
    with pytest.raises(SettingsError, match=r"unknown setting habitats.k_maxx") as e:
        parse_settings("[habitats]\nk_maxx = 5")
    assert "did you mean 'k_max'?" in e.value.fix


def test_a_misspelt_section_gets_the_nearest_known_one():
    with pytest.raises(SettingsError, match="unknown setting habitat") as e:
        parse_settings("[habitat]\nk = 3")
    assert "'habitats'" in e.value.fix


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[habitats]\nk = 1", "habitats.k"),
        ("[preprocessing]\nspacing_mm = 'wide'", "preprocessing.spacing_mm"),
        ("[data]\nreference = 'T2'", "'T2' is not one of the sequences"),
        ("[data]\nsequences = ['PVP', 'PVP']", "named twice"),
        ("[features]\nbin_count = 32\nbin_width = 2", "not both"),
        ("[habitats]\norder_by = 'T2'", "habitats.order_by 'T2'"),
        ("[habitats]\nmaps = 'kinetic'", "normalization 'minmax': wash-in and"),
        ("habitats = 3", "habitats"),
        ("[habitats", "not valid TOML"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(text, words):
    with pytest.raises(SettingsError, match=words):
        parse_settings(text)


def test_kinetic_maps_are_made_of_intensities_as_they_are():
    text = "[habitats]\nmaps = 'kinetic'\n[preprocessing]\nnormalization = 'none'"
    assert parse_settings(text).channels == (
        "wash_in",
        "wash_out",
        "relative_enhancement",
    )


def test_any_number_of_sequences_is_allowed():
    settings = parse_settings("[data]\nsequences = ['T2']\nreference = 'T2'")
    assert settings.data.sequences == ("T2",)


def test_settings_cannot_be_changed_after_reading():
    settings = parse_settings("")
    with pytest.raises(ValueError, match="frozen"):
        settings.seed = 3


def test_a_number_of_bins_replaces_the_default_width():
    assert parse_settings("").features.bin_width == 1 / 64
    features = parse_settings("[features]\nbin_count = 32").features
    assert (features.bin_count, features.bin_width) == (32, None)


def test_an_empty_text_says_that_there_is_none():
    data = parse_settings("[data]\nclinical = ''\noutcome = ''").data
    assert data.clinical is None
    assert data.outcome is None
