"""How nbval starts a chapter's kernel, and what of its outputs it leaves out of the comparison."""

import nbval.kernel

from grokbook.kernels import started_again

nbval.kernel.start_new_kernel = started_again(nbval.kernel.start_new_kernel)

NOT_COMPARED = (
    "stderr",  # wording of warnings belongs to other packages; the book build refuses them anyway
    "text/html",  # tables carry random element ids; their text/plain form is compared
    "text/latex",  # the same result stands in text/plain
    "image/svg+xml",  # drawn paths differ in the last digit between machines, like PNG
)


def pytest_collectstart(collector) -> None:
    """Tell every notebook that nbval collects what it need not compare."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += NOT_COMPARED
