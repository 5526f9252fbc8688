"""Kernels that die at the start: with a port that is taken, as two notebooks at once can get it."""

import runpy
import socket
from collections.abc import Iterator
from pathlib import Path

import nbformat
import nbval.kernel
import papermill
import pytest
from jupyter_client.provisioning.local_provisioner import LocalPortCache

from grokbook.commands import execute
from grokbook.kernels import ATTEMPTS, DIED, started_again

ROOT = Path(__file__).parents[1]


@pytest.fixture
def kernels(monkeypatch) -> Iterator[list[str]]:
    """Give the first kernel of a test a port that is taken; list what each was given."""
    given: list[str] = []
    free = LocalPortCache.find_available_port
    with socket.create_server(("127.0.0.1", 0)) as server:

        def find(cache: LocalPortCache, address: str) -> int:
            given.append("free" if given else "taken")
            return free(cache, address) if given[1:] else server.getsockname()[1]

        monkeypatch.setattr(LocalPortCache, "find_available_port", find)
        yield given


def test_a_taken_port_is_what_kills_a_kernel(kernels):
    with pytest.raises(RuntimeError, match=f"^{DIED}$"):
        nbval.kernel.start_new_kernel(kernel_name=nbval.kernel.CURRENT_ENV_KERNEL_NAME)
    assert kernels == ["taken", *["free"] * 4]


def test_nbval_starts_a_chapter_s_kernel_again(kernels, monkeypatch):
    monkeypatch.setattr(nbval.kernel, "start_new_kernel", nbval.kernel.start_new_kernel)
    runpy.run_path(str(ROOT / "book" / "conftest.py"))
    name = nbval.kernel.CURRENT_ENV_KERNEL_NAME
    manager, client = nbval.kernel.start_new_kernel(kernel_name=name)
    assert manager.is_alive()
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    assert kernels == ["taken", *["free"] * 9]


def test_papermill_starts_a_chapter_s_kernel_again(kernels, tmp_path):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    made.metadata["language_info"] = {"name": "python"}
    made.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(made, tmp_path / "chapter.ipynb")
    execute._execute(tmp_path / "chapter.ipynb", tmp_path / "executed.ipynb", {})
    cells = nbformat.read(tmp_path / "executed.ipynb", 4).cells
    assert "42\n" in [output["text"] for cell in cells for output in cell.outputs]
    assert kernels == ["taken", *["free"] * 9]


@pytest.mark.parametrize(
    "error", [RuntimeError("Kernel didn't respond in 60 seconds"), papermill.PapermillException()]
)
def test_any_other_failure_is_raised_at_once(error):
    calls = []

    def start() -> None:
        calls.append("one")
        raise error

    with pytest.raises(type(error)):
        started_again(start)()
    assert len(calls) == 1


def test_a_later_attempt_may_succeed_and_gets_what_the_first_was_given():
    calls = []

    def start(name: str, *, cwd: str) -> str:
        calls.append((name, cwd))
        if len(calls) < ATTEMPTS:
            raise RuntimeError(DIED)
        return "kernel"

    assert started_again(start)("python", cwd="book") == "kernel"
    assert calls == [("python", "book")] * ATTEMPTS
