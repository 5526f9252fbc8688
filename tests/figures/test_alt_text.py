import json
import re
import subprocess
import sys

# One pixel, enough for an image that is never looked at.
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
CONFIG = """
extensions = ["myst_nb", "grokbook.figures.alt_text"]
nb_execution_mode = "off"
numfig = True
"""


def cell(name: str, text: str, metadata: dict) -> dict:
    """A code cell with one stored picture."""
    data = {"image/png": DOT, "text/plain": text}
    return {
        "cell_type": "code",
        "execution_count": 1,
        "id": name,
        "metadata": {"mystnb": metadata} if metadata else {},
        "source": name,
        "outputs": [{"output_type": "display_data", "data": data, "metadata": {}}],
    }


def test_a_page_gets_the_texts_of_its_pictures(tmp_path):
    figure = {"caption": "**Look** at the gap.", "name": "fig-gap"}
    cells = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# A page"},
        cell("computed", "Test accuracy\nrises < late.", {"figure": figure}),
        cell("by-hand", "Computed.", {"image": {"alt": "By hand."}}),
        cell("silent", "<Figure size 640x480 with 1 Axes>", {}),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}}
    (tmp_path / "conf.py").write_text(CONFIG)
    (tmp_path / "index.ipynb").write_text(json.dumps(notebook | {"cells": cells}))
    command = [sys.executable, "-m", "sphinx", "-n", "-q", "-b", "html", ".", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    page = (tmp_path / "out" / "index.html").read_text()
    alts = re.findall(r'<img alt="([^"]*)"', page)
    assert alts[:2] == ["Test accuracy rises &lt; late.", "By hand."]
    assert re.search(r'<span class="caption-number">Fig. 1 </span>', page)
    assert 'id="fig-gap"' in page
    # One warning, and so a failure of every strict build, for the picture that has no text.
    assert done.stderr.count("WARNING") == 1
    assert "a picture has no alternative text" in done.stderr
