"""Start a kernel again that died before it answered.

Jupyter looks for five free ports and closes them again, for the kernel to open. Of two notebooks
that start at the same moment one can be handed a port that the other is about to open: its kernel
ends at once, and no cell has run.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

ATTEMPTS = 3
DIED = "Kernel died before replying to kernel_info"  # jupyter_client's words, its only mark

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


def started_again(start: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Return `start` with three attempts at a kernel that dies before its first answer.

    Anything else that `start` raises is raised at once, and so is the third such death:

    >>> attempts = []
    >>> def start():
    ...     attempts.append("one")
    ...     raise RuntimeError(DIED)
    >>> started_again(start)()
    Traceback (most recent call last):
    RuntimeError: Kernel died before replying to kernel_info
    >>> len(attempts)
    3
    """

    @functools.wraps(start)
    def attempts(*args: Given.args, **kwargs: Given.kwargs) -> Returned:
        for _ in range(ATTEMPTS - 1):
            try:
                return start(*args, **kwargs)
            except RuntimeError as error:
                if str(error) != DIED:
                    raise
        return start(*args, **kwargs)

    return attempts
