"""Parameters of the generator families: their types, their ranges, and their text form."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from solver.errors import InstanceError

__all__ = [
    "canonical_spec",
    "parse_value",
    "require_choice",
    "require_known",
    "require_range",
    "split_spec",
    "typed",
]

Parameter = int | float | str | bool

_WANTED: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
}


def split_spec(spec: str) -> tuple[str, dict[str, str]]:
    """Split a spec into the family and the texts of its parameters.

    Raises
    ------
    InstanceError
        If a part is not of the form name=value, or a name stands twice.

    Examples
    --------
    >>> split_spec("uniform:nodes=20,seed=3")
    ('uniform', {'nodes': '20', 'seed': '3'})
    """
    family, _, rest = spec.partition(":")
    texts: dict[str, str] = {}
    for part in rest.split(",") if rest.strip() else []:
        name, equals, text = (piece.strip() for piece in part.partition("="))
        if not (name and equals and text):
            raise InstanceError(
                f"{spec!r}: {part.strip()!r} is not of the form name=value; "
                "write for example uniform:nodes=20,seed=3"
            )
        if name in texts:
            raise InstanceError(f"{spec!r}: the parameter {name!r} stands twice")
        texts[name] = text
    return family.strip(), texts


def canonical_spec(family: str, parameters: Mapping[str, Parameter]) -> str:
    """The text form of a family and its parameters; `split_spec` takes it apart again.

    >>> canonical_spec("uniform", {"nodes": 20, "load": 1.0, "balanced": True})
    'uniform:nodes=20,load=1.0,balanced=true'
    """
    pairs = [f"{name}={_text(value)}" for name, value in parameters.items()]
    return f"{family}:{','.join(pairs)}" if pairs else family


def _text(value: Parameter) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse_value(family: str, name: str, text: str, kind: type) -> Parameter:
    """Read the text of a parameter as its annotated type.

    Raises
    ------
    InstanceError
        If the text does not stand for a value of that type.
    """
    if kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind is str:
        return text
    if kind is int or kind is float:
        try:
            return int(text) if kind is int else float(text)
        except ValueError:
            pass
    raise _wrong_type(family, name, text, kind)


def typed(family: str, name: str, value: Any, kind: type) -> Parameter:
    """Check a value against the annotated type; whole numbers pass as floats.

    Raises
    ------
    InstanceError
        If the value is of another type.
    """
    plain: Any = value.item() if isinstance(value, np.generic) else value
    if kind is float and isinstance(plain, int) and not isinstance(plain, bool):
        if abs(plain) > 2**53:
            raise InstanceError(f"{family}: {name} is {plain!r}; the number is too large")
        return float(plain)
    if isinstance(plain, Parameter) and type(plain) is kind:
        return plain
    raise _wrong_type(family, name, value, kind)


def _wrong_type(family: str, name: str, value: Any, kind: type) -> InstanceError:
    return InstanceError(f"{family}: {name} is {value!r}; it must be {_WANTED[kind]}")


def require_known(name: str, choices: Iterable[str], what: str) -> None:
    """Require that a name is one of the choices.

    Raises
    ------
    InstanceError
        Listing the choices, with the closest one first if one is close.
    """
    known = list(choices)
    if name in known:
        return
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise InstanceError(f"{what} {name!r} is unknown; {hint}Choose from: {', '.join(known)}")


def require_choice(family: str, name: str, value: str, choices: Iterable[str]) -> None:
    """Require that the value of a text parameter is one of the choices.

    Raises
    ------
    InstanceError
        Listing the choices, with the closest one first if one is close.
    """
    require_known(value, choices, f"{family}: {name}")


def require_range(
    family: str, name: str, value: float, least: float, most: float = math.inf
) -> None:
    """Require least <= value <= most.

    Raises
    ------
    InstanceError
        Naming the range.
    """
    if not least <= value <= most:
        limits = f"{least:,} or more" if most == math.inf else f"from {least:,} to {most:,}"
        raise InstanceError(f"{family}: {name} is {value!r}; it must be {limits}")
