from html.parser import HTMLParser

import pytest

from grokbook.figures import provenance


class Tags(HTMLParser):
    """The tags with their attributes, and the text, of a piece of HTML; it must be balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_line_names_protocol_seeds_budget_device_and_versions(synthetic):
    assert repr(provenance(synthetic(10))) == (
        "Runs behind this figure: nanda23, 10 runs, seeds 0–9, 20,000 steps, cpu, "
        "torch 2.13.0, Python 3.11.7"
    )


def test_html_and_text_say_the_same(synthetic):
    page = Tags(provenance(synthetic(2))._repr_html_())
    assert page.tags[0] == ("div", {"class": "runs-behind"})
    described = "nanda23, 2 runs, seeds 0–1, 20,000 steps, cpu, torch 2.13.0, Python 3.11.7"
    assert page.text == f"Runs behind this figure. {described}"


def test_seeds_that_are_not_tied_are_named_apart(synthetic):
    runs = synthetic(4).assign_coords(init_seed=("run", [0, 0, 1, 3]))
    assert "split seeds 0–3, initialisation seeds 0–1, 3" in repr(provenance(runs))


def test_batch_seeds_are_named_where_there_are_batches(synthetic):
    runs = synthetic(3)
    assert "batch" not in repr(provenance(runs))
    runs = runs.assign_coords(batch_size=("run", ["512"] * 3))
    assert "batch seed 0," in repr(provenance(runs))
    runs = runs.assign_coords(batch_seed=("run", [0, 1, 2]))
    assert "3 runs, seeds 0–2, 20,000" in repr(provenance(runs))


def test_differences_between_runs_are_told(synthetic):
    runs = synthetic(2)
    runs["budget"] = ("run", [9_000.0, 20_000.0])
    runs = runs.assign_coords(
        device=("run", ["cpu", "NVIDIA H100"]),
        versions=("run", ['{"torch": "2.13.0"}', '{"torch": "2.12.0"}']),
    )
    assert repr(provenance(runs)).endswith(
        "9,000 to 20,000 steps, NVIDIA H100 and cpu, torch 2.12.0 and 2.13.0"
    )


def test_what_was_not_recorded_is_said_or_left_out(synthetic):
    runs = synthetic(1).drop_vars(["protocol", "device", "versions", "split_seed", "init_seed"])
    assert repr(provenance(runs)) == (
        "Runs behind this figure: no named protocol, 1 run, 20,000 steps, device not recorded"
    )


def test_archived_runs_offer_their_file(synthetic):
    runs = synthetic(2).assign_coords(archive=("run", ["a_01.nc", "b.nc"]))
    line = provenance(runs)
    assert line.downloads == ("runs/a_01.nc", "runs/b.nc")
    assert repr(line).endswith("\nDownload: runs/a_01.nc\nDownload: runs/b.nc")
    links = [attributes for tag, attributes in Tags(line._repr_html_()).tags if tag == "a"]
    assert [link["href"] for link in links] == ["runs/a_01.nc", "runs/b.nc"]
    assert all("download" in link for link in links)


def test_runs_of_this_session_offer_none(synthetic):
    runs = synthetic(2).assign_coords(archive=("run", ["", ""]))
    assert provenance(runs).downloads == ()
    assert "<a" not in provenance(runs)._repr_html_()


def test_a_download_can_be_named(synthetic):
    assert provenance(synthetic(1), download="runs/x.nc").downloads == ("runs/x.nc",)


@pytest.mark.parametrize(
    "path", ["/etc/x.nc", "../x.nc", "https://a.b/x", "javascript:x", "a//b", 'x" y', "a/../b", ""]
)
def test_a_download_elsewhere_is_refused(synthetic, path):
    with pytest.raises(ValueError, match="is no path relative to the page's folder"):
        provenance(synthetic(1), download=path)


def test_arms_are_listed_by_name_and_escaped(synthetic):
    line = provenance({"a < b & c": synthetic(2), "left out": None, "plain": synthetic(1)})
    assert repr(line).splitlines()[:2] == [
        "Runs behind this figure:",
        "- a < b & c: nanda23, 2 runs, seeds 0–1, 20,000 steps, cpu, torch 2.13.0, Python 3.11.7",
    ]
    html = line._repr_html_()
    assert "a &lt; b &amp; c" in html
    assert "a < b & c" in Tags(html).text
    assert "left out" not in html


def test_a_protocol_with_markup_is_escaped(synthetic):
    runs = synthetic(1).assign_coords(protocol=("run", ["<script>alert(1)</script>"]))
    for shown in (runs, {"one": runs, "two": runs}):
        html = provenance(shown)._repr_html_()
        assert "<script>" not in html and "&lt;script&gt;" in html


def test_no_runs_are_refused(synthetic):
    for nothing in ({}, {"a": None}, synthetic(2).isel(run=[])):
        with pytest.raises(ValueError, match="there is no run to name"):
            provenance(nothing)
