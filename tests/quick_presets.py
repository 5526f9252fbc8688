"""Execute every chapter with its quick preset, and ask its run store whether anything grokked.

Called by `make check-presets` as `python -m tests.quick_presets`. Every chapter gets an empty
store of its own, so that all runs found there afterwards are fresh and belong to that chapter.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AT_ONCE = 2
LIMIT = 600  # seconds a chapter may take before it counts as hanging; the aim is 40
GROKBOOK = (sys.executable, "-m", "grokbook")


@dataclass(frozen=True)
class Outcome:
    """What became of one chapter; `problem` is empty when all is well."""

    chapter: str
    seconds: float
    trained: int
    onsets: tuple[float, ...]
    problem: str = ""

    def __str__(self) -> str:
        """Return one line for the report."""
        line = f"{self.chapter:<24} {self.seconds:6.1f} s  {self.trained:3d} fresh runs"
        if self.onsets:
            line += f", first t_grok {min(self.onsets):g}"
        return line + (f"\n  FAILED: {self.problem}" if self.problem else "")


def find_presets(root: Path) -> list[Path]:
    """Return the quick presets in the order of their chapters.

    Raises:
        SystemExit: there is none, one has no chapter, or a numbered chapter has none.
    """
    presets = sorted((root / "book" / "presets" / "quick").glob("*.yml"))
    stems = {preset.stem for preset in presets}
    chapters = {chapter.stem for chapter in (root / "book").glob("*.ipynb")}
    numbered = {stem for stem in chapters if stem[:2].isdigit()}
    if not presets:
        raise SystemExit("book/presets/quick holds no preset.")
    if stems - chapters:
        raise SystemExit(f"presets without a chapter: {', '.join(sorted(stems - chapters))}")
    if numbered - stems:
        raise SystemExit(f"chapters without a quick preset: {', '.join(sorted(numbered - stems))}")
    return presets


def fresh_onsets(rows: Iterable[dict]) -> tuple[int, tuple[float, ...]]:
    """Return how many rows of `onsets --json` are no archived runs, and their uncensored t_grok."""
    fresh = [row for row in rows if row["archive"] is None]
    reached = tuple(row["t_grok"] for row in fresh if not row["censored"])
    return len(fresh), reached


def call(arguments: Iterable[str], store: Path) -> subprocess.CompletedProcess[str]:
    """Run grokbook's command line on one thread with `store` as its run store."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return subprocess.run(
        [*GROKBOOK, *arguments],
        cwd=ROOT,
        env={**os.environ, **one_thread, "GROKBOOK_RUNS": str(store)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


def check(preset: Path, folder: Path) -> Outcome:
    """Execute one chapter with `preset` below the empty `folder`, and read its store."""
    store = folder / preset.stem / "runs"
    store.mkdir(parents=True)
    start = time.monotonic()

    def outcome(trained: int, onsets: tuple[float, ...], problem: str = "") -> Outcome:
        return Outcome(preset.stem, time.monotonic() - start, trained, onsets, problem)

    try:
        execute = ["execute", preset.stem, "-f", str(preset), "--out", str(store.parent)]
        for arguments in (execute, ["onsets", "--json"]):
            done = call(arguments, store)
            if done.returncode != 0:
                words = f"{' '.join(arguments[:2])} ended with {done.returncode}"
                return outcome(0, (), f"{words}\n{done.stdout}{done.stderr}")
    except subprocess.TimeoutExpired:
        return outcome(0, (), f"not finished after {LIMIT} s")
    trained, onsets = fresh_onsets(json.loads(done.stdout))
    if not trained:
        return outcome(0, (), "nothing was trained: the preset names runs that book/runs holds")
    if not onsets:
        return outcome(trained, (), "no run reached its t_grok: the preset's budget is too short")
    return outcome(trained, onsets)


def main() -> int:
    """Check all presets, print one line a chapter, and return the exit status."""
    presets = find_presets(ROOT)
    with (
        tempfile.TemporaryDirectory(prefix="grokbook-") as folder,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        outcomes = []
        for outcome in pool.map(lambda preset: check(preset, Path(folder)), presets):
            print(outcome, flush=True)
            outcomes.append(outcome)
    failed = [outcome.chapter for outcome in outcomes if outcome.problem]
    print(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
