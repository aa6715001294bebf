"""Constraints of jobs on the features of nodes: ``a100&nvme``, ``(a100|h100)&nvme``."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

__all__ = ["Constraint", "constraint_of"]

Constraint = Callable[[Collection[str]], bool]

_TOKEN = re.compile(r"\s*([&|,()\[\]]|[^&|,()\[\]*:\s]+)")
_MOST_CHARACTERS = 2000
_DEEPEST = 30


def constraint_of(text: str, *, one_node: bool) -> Constraint | None:
    """Whether the features of a node satisfy a constraint; None where it says more than that.

    ``&`` and ``|`` bind alike, from the left; commas are ``&``. What counts
    (``a100*2``) is about the nodes of a job together, as brackets are (``[r1|r2]``: all on one of
    them), unless it has one node.

    Parameters
    ----------
    text : str
    one_node : bool
        Whether the job has one node.

    Examples
    --------
    >>> allows = constraint_of("(a100|h100)&nvme", one_node=True)
    >>> allows({"h100", "nvme"}), allows({"a100"}), constraint_of("a100*2", one_node=True)
    (True, False, None)
    """
    if len(text) > _MOST_CHARACTERS or "*" in text or ("[" in text and not one_node):
        return None
    tokens, place = [], 0
    stripped = text.strip()
    while place < len(stripped):
        found = _TOKEN.match(stripped, place)
        if found is None:
            return None
        tokens.append({"[": "(", "]": ")", ",": "&"}.get(found[1], found[1]))
        place = found.end()
    reader = _Reader(tokens)
    constraint = reader.whole(0)
    return constraint if reader.place == len(tokens) else None


class _Reader:
    """Reads tokens from the left."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self.place = 0

    def _next(self) -> str:
        return self._tokens[self.place] if self.place < len(self._tokens) else ""

    def whole(self, depth: int) -> Constraint | None:
        left = self._term(depth)
        while left is not None and self._next() in ("&", "|"):
            sign = self._next()
            self.place += 1
            right = self._term(depth)
            left = None if right is None else _joined(left, sign, right)
        return left

    def _term(self, depth: int) -> Constraint | None:
        token = self._next()
        self.place += 1
        if token == "(" and depth < _DEEPEST:
            inner = self.whole(depth + 1)
            closed = self._next() == ")"
            self.place += 1
            return inner if closed else None
        if token in ("", "&", "|", "(", ")"):
            return None
        return lambda features: token in features


def _joined(left: Constraint, sign: str, right: Constraint) -> Constraint:
    if sign == "&":
        return lambda features: left(features) and right(features)
    return lambda features: left(features) or right(features)
