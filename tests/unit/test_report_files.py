import csv
import dataclasses
import io
import json
import re
from importlib import resources

import numpy as np
import openpyxl
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from scipy.stats import spearmanr
from test_report_page import PIXEL, content_of, evaluation_of, roc_of

from radhabitat.errors import StorageError
from radhabitat.files.layout import ResultsLayout
from radhabitat.report import ReportContent, habitat_surface
from radhabitat.report.bibliography import bibliography, methods_markdown
from radhabitat.report.blocks import Table
from radhabitat.report.content import Penalized
from radhabitat.report.figures.behind import data_behind
from radhabitat.report.figures.heat_map import draw_heat_map, spearman
from radhabitat.report.figures.roc import band, draw_roc
from radhabitat.report.figures.sites import share_of_site
from radhabitat.report.nomogram import make_nomogram
from radhabitat.report.publish import publish, republish
from radhabitat.report.sections.checklists import (
    NEVER,
    fill_checklist,
    score_metrics,
)
from radhabitat.report.sections.methods import WORKS
from radhabitat.report.stored import decode, encode, restore
from radhabitat.report.tables import typed, workbook
from radhabitat.report.translate import translator
from radhabitat.selection.lasso import LassoPath
from radhabitat.settings import StudySettings
from radhabitat.types import Block, Cohort, Grid, HabitatMap, RiskModel

FORMS = {".svg", ".png", ".tiff", ".csv"}


def small_content():
    rng = np.random.default_rng(3)
    evaluation = evaluation_of(patients=40, ladder={"clinical": 2})
    path = LassoPath(
        penalties=np.geomspace(1, 1e-3, 10),
        coefficients=np.cumsum(rng.normal(size=(10, 2)), axis=0),
        loss=rng.uniform(1, 2, 10),
        error=rng.uniform(0, 0.1, 10),
        best=6,
        sparse=3,
    )
    names = evaluation.results["clinical"].model.variables
    return ReportContent(
        title="Small",
        settings=StudySettings(),
        version="0.1.0",
        flow=(("listed", 41), ("used", 40)),
        features_count=30,
        lasso={"Clinical variables": Penalized(names, path)},
        chosen={n: rng.normal(size=40) for n in names},
        evaluation=evaluation,
        pictures={"P<1>": PIXEL},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    results = ResultsLayout(tmp_path_factory.mktemp("study") / "results")
    publish(small_content(), results)
    return results


def read(folder):
    return {
        f.relative_to(folder).as_posix(): f.read_bytes()
        for f in folder.rglob("*")
        if f.is_file()
    }


def test_the_report_made_again_from_its_results_has_the_same_bytes(made):
    before = read(made.folder)
    republish(made)
    assert read(made.folder) == before


def test_every_figure_lies_there_as_svg_png_tiff_and_its_data(made):
    forms = {}
    for file in (made.folder / "figures").iterdir():
        forms.setdefault(file.stem, set()).add(file.suffix)
    assert len(forms) > 10
    assert all(found == FORMS for found in forms.values())
    for kind in ("png", "tiff"):
        with Image.open(made.figure("roc", kind)) as image:
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
            assert image.width == 5.2 * 300


def test_every_link_of_the_page_leads_to_a_file_or_into_the_page(made):
    page = made.report.read_text(encoding="utf-8")
    targets = re.findall(r'<a [^>]*href="([^"]+)"', page)
    ids = set(re.findall(r' id="([^"]+)"', page))
    assert "figures/roc.csv" in targets
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in ids
        else:
            assert (made.folder / target).is_file(), target


def test_the_manifest_gives_the_hash_of_every_other_file(made):
    manifest = json.loads((made.folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == set(read(made.folder)) - {"manifest.json"}
    assert manifest["purpose"].startswith("Research use only")


def test_the_software_bill_names_libraries_with_version_and_licence(made):
    bill = json.loads((made.folder / "sbom.json").read_text(encoding="utf-8"))
    found = {c["name"].lower(): c for c in bill["components"]}
    assert found["numpy"]["version"] == np.__version__
    assert all(c["licenses"][0]["license"]["name"] for c in found.values())
    assert "pytest" not in found


def test_the_pdf_is_one(made):
    assert (made.folder / "report.pdf").read_bytes().startswith(b"%PDF-")


def test_results_of_another_version_are_refused_with_a_cure(tmp_path):
    results = ResultsLayout(tmp_path)
    with pytest.raises(StorageError, match="cannot be read"):
        restore(results)
    results.content.write_text('{"content": {"nonsense": 1}, "files": {}}')
    with pytest.raises(StorageError, match="of another version") as caught:
        restore(results)
    assert "radhabitat run" in caught.value.fix


def test_a_lost_picture_is_named(made, tmp_path):
    results = ResultsLayout(tmp_path)
    results.content.write_bytes(made.content.read_bytes())
    with pytest.raises(StorageError, match=r"1 pictures .* 0001\.png"):
        restore(results)


def test_what_is_kept_comes_back_whole():
    content = dataclasses.replace(small_content(), pictures={})
    settled = decode(ReportContent, encode(content))
    text = json.dumps(encode(settled), allow_nan=False)
    back = decode(ReportContent, json.loads(text))
    assert json.dumps(encode(back)) == text
    assert back.settings == content.settings
    assert back.evaluation.outcome.dtype == np.int8
    curve = back.evaluation.results["clinical"].roc_apparent
    assert np.isinf(curve.thresholds[0])


def test_pictures_beyond_the_limit_lie_on_pages(tmp_path):
    results = ResultsLayout(tmp_path)
    noise, png = np.random.default_rng(6), io.BytesIO()
    pixels = noise.integers(0, 256, size=(258, 258, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(png, format="png")
    many = {f"P{i}": png.getvalue() for i in range(70)}
    publish(
        ReportContent(title="Many", settings=StudySettings(), pictures=many), results
    )
    page = results.report.read_text(encoding="utf-8")
    assert "38 more pictures would make this file too large" in page
    assert 'href="pictures/habitats/page2.html"' in page
    second = (tmp_path / "pictures/habitats/page2.html").read_text(encoding="utf-8")
    assert re.findall(r'src="(\w+\.png)"', second) == [
        f"{n:04d}.png" for n in range(61, 71)
    ]


def test_the_points_of_a_nomogram_give_back_the_probability_of_the_formula():
    rng = np.random.default_rng(1)
    values = rng.normal([0, 5, -2], [1, 3, 0.1], size=(50, 3))
    model = RiskModel(
        "m", "event", ("a", "b", "c"), np.array([0.9, -1.4, 0.2]), -0.3,
        np.array([0.1, 4.0, -2.0]), np.array([1.1, 2.5, 0.12]),
    )  # fmt: skip
    ruler = make_nomogram(model, values)
    points = ruler.points(values)
    cohort = Cohort(
        tuple(map(str, range(50))), model.variables, (Block.RADIOMICS,) * 3, values,
        np.zeros(50, dtype=np.int8), "event",
    )  # fmt: skip
    assert points.min() >= 0
    assert points.max() == pytest.approx(100)
    rounded = np.round(points, 1).sum(axis=1)  # as read off the rulers
    assert ruler.probability(rounded) == pytest.approx(model.risk(cohort), abs=0.01)


def test_rank_correlations_equal_those_of_scipy():
    rng = np.random.default_rng(2)
    table = np.round(rng.normal(size=(30, 4)), 1)
    found = spearman(dict(zip("abcd", table.T, strict=True)))
    assert found == pytest.approx(spearmanr(table).statistic)


def test_the_data_behind_a_drawing_are_its_numbers():
    evaluation = evaluation_of(patients=40, ladder={"clinical": 2})
    figure = Figure()
    draw_roc(figure, evaluation)
    table = data_behind(figure)
    curve = evaluation.results["clinical"].roc_out_of_bag
    bold = table[table["series"].str.startswith("Clinical, unseen")]
    assert bold["x"].to_numpy() == pytest.approx(curve.false_positive_rate)
    assert bold["y"].to_numpy() == pytest.approx(curve.true_positive_rate)

    figure = Figure()
    values = {"size": np.arange(5.0), "shape": np.arange(5.0)[::-1]}
    draw_heat_map(figure, values)
    cells = data_behind(figure).query("kind == 'cell'")
    assert cells["value"].tolist() == pytest.approx([1, -1, -1, 1])
    assert [n.split()[0] for n in cells["y_name"]] == ["size", "size"] + ["shape"] * 2


def test_the_band_of_a_roc_is_wilsons_where_the_curve_is_flat():
    outcome = np.repeat([0, 1], 20).astype(np.int8)
    risk = np.concatenate([np.linspace(0, 0.4, 20), np.linspace(0.6, 1, 20)])
    x, low, high = band(roc_of(risk, outcome), 20, 20)
    # Wilson's interval of 20 of 20: Brown, Cai, DasGupta 2001, equation 4
    assert low[x == 0.5] == pytest.approx(20 / (20 + 1.959964**2), abs=1e-6)
    assert high[x == 0.5] == pytest.approx(1)


def test_the_share_of_sites_is_one_where_sites_are_all_there_is():
    values = np.array([[1.0, 0.0], [1.0, 1.0], [3.0, 0.0], [3.0, 1.0]])
    assert share_of_site(values, ("a", "a", "b", "b")) == pytest.approx([1.0, 0.0])


CHECKED = content_of(patients=13)


@pytest.mark.parametrize(
    ("name", "items"), [("clear", 58), ("metrics", 30), ("tripod", 52)]
)
def test_a_checklist_is_whole_and_its_evidence_is_in_the_report(name, items):
    filled = fill_checklist(name, CHECKED)
    assert len(filled) == items
    assert all(i.evidence for i in filled)


def test_a_program_decides_at_least_37_items_of_clear():
    states = [i.state for i in fill_checklist("clear", CHECKED)]
    assert sum(s != "open" for s in states) >= 37


def test_the_score_of_metrics_never_says_yes_for_people():
    items = fill_checklist("metrics", CHECKED)
    assert sum(i.weight for i in items) == pytest.approx(1, abs=1e-4)
    assert {i.state for i in items if i.number in NEVER} <= {"open", "not applicable"}
    score = score_metrics(items)
    assert 0 < score.sure < score.possible < 100
    assert score.grade == "moderate"


def test_every_yes_for_metrics_is_excellent():
    items = [i._replace(state="yes") for i in fill_checklist("metrics", CHECKED)]
    assert score_metrics(items).grade == "excellent"


def test_too_few_events_and_no_external_test_are_warned_of():
    states = {i.text: i.state for i in fill_checklist("probast", CHECKED)}
    assert states["Enough events per candidate predictor"] == "no"
    assert states["Tested on patients from elsewhere"] == "no"


def test_printed_numbers_become_typed_cells():
    table = Table(
        "AUC", ("Model", "AUC", "Share", "p"),
        [("CR", "0.700 (0.600 to 0.800)", "12 %", "< 0.001"),
         ("1", "not computable", "\N{MINUS SIGN}1,568", "0.040")],
    )  # fmt: skip
    found = typed(table)
    assert list(found.columns) == [
        "Model",
        "AUC",
        "AUC, low",
        "AUC, high",
        "Share",
        "p",
    ]
    assert found["Model"].tolist() == ["CR", "1"]
    assert found.iloc[0, 1:4].tolist() == [0.7, 0.6, 0.8]
    assert found["Share"].tolist() == [0.12, -1568]
    assert found["p"].tolist() == ["< 0.001", 0.04]


def test_a_workbook_holds_numbers_and_no_formula_and_is_the_same_each_time():
    table = pd.DataFrame({"who": ["=1+1", "b"], "n": [1.5, np.nan]})
    data = workbook({"A: b/c": table})
    assert workbook({"A: b/c": table}) == data
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    assert [[c.value for c in row] for row in sheet] == [
        ["who", "n"],
        ["'=1+1", 1.5],
        ["b", None],
    ]


def test_the_methods_cite_what_the_bibliography_holds():
    words, works = methods_markdown(CHECKED), bibliography(CHECKED)
    cited = set(re.findall(r"\[@(\w+)\]", words))
    assert cited
    assert cited == set(re.findall(r"^@article\{(\w+),", works, re.MULTILINE))
    assert cited <= set(WORKS)
    assert "author = {Efron, B. and Tibshirani, R.}" in works
    assert "doi = {10.1080/01621459.1997.10474007}" in works


def test_numbers_stay_where_words_are_put_into_chinese():
    chinese = translator("zh")
    assert chinese("Habitat 3") == "生境 3"
    assert chinese("CRH, unseen 0.810") == "CRH\uff0c未见患者 0.810"
    assert chinese("Whatever {this} says") == "Whatever {this} says"
    assert translator("en")("Habitat 3") == "Habitat 3"


def test_every_pair_of_the_catalog_has_the_same_holes():
    file = resources.files("radhabitat.report").joinpath("translations", "zh.csv")
    pairs = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
    assert len(pairs) > 250
    assert [p for p in pairs if p[0].count("{}") != p[1].count("{}")] == []


def test_the_solid_picture_shows_every_habitat_in_its_color():
    i, j, k = np.indices((24, 24, 24)) - 12
    ball = i**2 + j**2 + k**2 < 100
    labels = np.where(ball, np.where(k > 0, 2, 1), 0).astype(np.uint8)
    grid = Grid((24, 24, 24), np.diag([1.0, 1.0, 2.0, 1.0]))
    centers = np.zeros((2, 1))
    picture = habitat_surface(HabitatMap("P", labels, grid, 2, centers, ("PVP",)))
    with Image.open(io.BytesIO(picture)) as image:
        pixels = np.asarray(image.convert("RGB"), dtype=int).reshape(-1, 3)
    blue = (pixels[:, 2] > pixels[:, 0] + 60).mean()
    orange = (pixels[:, 0] > pixels[:, 2] + 60).mean()
    assert blue > 0.05
    assert orange > 0.05
