"""What nbval leaves out when it compares a chapter's stored outputs with a fresh execution."""

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
