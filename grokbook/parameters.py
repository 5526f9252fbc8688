"""The parameters of a chapter: an unknown name or a value of the wrong type is refused in a line.

papermill only prints a remark when it is given a name that the notebook does not have. So the first
code cell of a chapter holds nothing but annotated literals, and the second asks for this check.
"""

import difflib
import types
from collections.abc import Iterable
from typing import Any, Literal, get_args, get_origin

# What IPython itself puts into a notebook's namespace.
_OF_THE_KERNEL = {"In", "Out", "exit", "quit", "get_ipython", "open", "refuse_unknown"}


class ParameterError(ValueError):
    """A parameter that a chapter does not have, or a value that it cannot take."""

    def _render_traceback_(self) -> list[str]:
        # IPython shows this in place of the traceback, through which nobody has to read.
        return [f"ParameterError: {self}"]


def refuse_unknown(namespace: dict[str, Any]) -> None:
    """Check a notebook's namespace right after its parameters cell.

    Known are the names annotated there; every other name was injected. Raises `ParameterError`.

    >>> refuse_unknown({"__annotations__": {"p": int}, "p": 113, "weight_decya": 1})
    Traceback (most recent call last):
    grokbook.parameters.ParameterError: unknown parameter 'weight_decya': this chapter takes p.
    """
    known = namespace.get("__annotations__", {})
    given = {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_") and name not in _OF_THE_KERNEL
    }
    for name, value in given.items():
        if name not in known:
            raise ParameterError(unknown(name, known))
        if not fits(value, known[name]):
            raise ParameterError(f"{name} = {value!r} is not {described(known[name])}.")


def unknown(name: str, known: Iterable[str]) -> str:
    """The sentence that refuses a name, with the nearest known one."""
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"unknown parameter {name!r}: this chapter takes {', '.join(known)}.{hint}"


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of an annotated kind; whole numbers pass as floats, booleans do not.

    >>> fits(1, float), fits(True, int), fits(7.5, int), fits(None, float | None)
    (True, False, False, True)
    """
    origin, parts = get_origin(kind) or kind, get_args(kind)
    if origin is types.UnionType:
        return any(fits(value, one) for one in parts)
    if origin is Literal:
        return any(value == one and type(value) is type(one) for one in parts)
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, (int, float))
    return isinstance(value, origin) if isinstance(origin, type) and origin is not Any else True


def described(kind: Any) -> str:
    """An annotated kind in words.

    >>> described(int), described(float | None), described(Literal["relu", "gelu"])
    ('of type int', 'of type float | None', "one of 'relu', 'gelu'")
    """
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(repr, get_args(kind)))}"
    return f"of type {kind.__name__ if isinstance(kind, type) else kind}"
