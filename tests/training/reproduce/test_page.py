import base64
import re
from html.parser import HTMLParser

import pytest
from matplotlib.figure import Figure

from tests.training.reproduce import made_up
from training.reproduce.made import Picture
from training.reproduce.page import RUN_COLUMNS, report_page, run_rows, write_page


class Balanced(HTMLParser):
    """Every tag that is opened is closed, and in order."""

    VOID = ("meta", "img", "br")

    def __init__(self):
        super().__init__()
        self.open, self.links = [], []

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(text):
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    return parser


def picture(name="shown"):
    figure = Figure()
    figure.subplots().plot([1, 2])
    return Picture(name, "A <picture>", figure, "What is to be seen & more.")


def test_a_page_needs_nothing_beside_it(tmp_path):
    page = write_page(made_up.made(pictures=(picture(),)), tmp_path).read_text()
    assert all(link.startswith("data:") for link in read(page).links)
    assert "<script" not in page


def test_its_pictures_are_in_it_and_beside_it_as_the_same_png(tmp_path):
    page = write_page(made_up.made(pictures=(picture(),)), tmp_path).read_text()
    inside = base64.b64decode(re.search(r"data:image/png;base64,([^']+)", page).group(1))
    assert inside == (tmp_path / "shown.png").read_bytes()
    assert inside.startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shown.png", "table-1.html"]


def test_words_from_outside_are_no_markup(tmp_path):
    page = write_page(made_up.made(pictures=(picture(),)), tmp_path).read_text()
    assert "ST-GCN &lt;v1&gt;" in page
    assert "<v1>" not in page
    assert "A &lt;picture&gt;" in page


def test_a_table_has_the_papers_figures_ours_and_the_difference():
    page = report_page(made_up.made(), ())
    rows = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in re.findall(r"<tr[^>]*>.*?</tr>", page)]
    assert ["ACLNet", "93.6", "97.7"] in rows
    assert ["here", "91.0 ± 1.0", "-"] in rows
    assert ["difference", "-2.6", "-"] in rows


def test_its_footnotes_say_what_keeps_figures_from_being_compared():
    page = report_page(made_up.made(tables=(made_up.table(marks=("simulated data",)),)), ())
    assert "91.0 ± 1.0" in page
    assert "(all) simulated data" in page


def test_the_table_can_be_taken_out_of_the_page_as_csv():
    table = made_up.table()
    link = re.search(r"download='table-1.csv' href='data:text/csv;base64,([^']+)'", report_page(made_up.made(), ()))
    lines = base64.b64decode(link.group(1)).decode().splitlines()
    assert lines[0] == ",".join(table.csv_header())
    assert lines[2].startswith("ACLNet,,93.6,91,1,1 2 3,-2.6")


def test_what_the_figures_say_stands_at_the_head():
    page = report_page(made_up.made(), ())
    assert page.index("The gain is not there.") < page.index("<table")


def test_without_a_report_it_says_that_nothing_is_measured():
    assert "Nothing has been trained and tested yet" in report_page(made_up.made(), ())
    assert "Nothing has been trained" not in report_page(made_up.made(reports=(made_up.actions(),)), ())


@pytest.mark.parametrize(("simulated", "said"), [(True, True), (False, False)])
def test_simulated_data_are_called_so(simulated, said):
    page = report_page(made_up.made(reports=(made_up.actions(simulated=simulated),)), ())
    assert ("Simulated data" in page) is said


def test_every_run_is_listed_with_what_it_rests_on():
    runs = list(run_rows([made_up.actions(seed=3), made_up.gait(train_accuracy=None, commit=None)]))
    assert runs[0] == ("ntu60-xsub, full", "3", "90.0", "97.0", "w" * 10, "c" * 10, "2026-01-02")
    assert runs[1][:6] == ("casia-b, full", "1", "66.7", "-", "w" * 10, "-")
    assert {len(row) for row in runs} == {len(RUN_COLUMNS)}


def test_a_page_that_cannot_be_made_leaves_the_old_one(tmp_path):
    path = write_page(made_up.made(), tmp_path)
    before = path.read_bytes()
    broken = Figure()
    broken.subplots().set_title(r"$\nothing$")
    with pytest.raises(ValueError, match="nothing"):
        write_page(made_up.made(pictures=(Picture("broken", "title", broken),), title="another"), tmp_path)
    assert path.read_bytes() == before
