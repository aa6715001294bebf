"""Which column or metric is which field, and what names a task: the options of readers of usage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from ...errors import OptionError

__all__ = ["Sources", "TaskName", "sources_of"]

_FACTOR = re.compile(r"(?P<name>.*?)(?:\s*(?P<sign>[*/])\s*(?P<number>[0-9.eE+-]+))?", re.S)
_LABEL = re.compile(r"\{([^{}]*)\}")
_FAR = 400

TASK_LABELS = (
    (("task_id",),),
    (("task",),),
    (("exported_namespace", "exported_pod"), ("exported_pod",)),
    (("namespace", "pod"), ("pod",)),
)
"""What tells the task where nothing is said: the first of these that a series has.

Behind a scrape of an exporter, `pod` is that of the exporter, `exported_pod` the one measured.
"""


@dataclass(frozen=True)
class Sources:
    """From columns and metrics to fields.

    Attributes
    ----------
    fields : dict of str to str
        The field of each column or metric; "file:column" stands for one of one file. Empty: each
        column and metric is the field of its name.
    factors : dict of str to Fraction
        By field.
    """

    fields: Mapping[str, str]
    factors: Mapping[str, Fraction]

    def field_of(self, stem: str, name: str) -> str | None:
        """The field of a column or metric in a file; None if it is none.

        Parameters
        ----------
        stem : str
            Name of the file, without its suffix.
        name : str
        """
        if not self.fields:
            return name
        return self.fields.get(name) or self.fields.get(f"{stem}:{name}")


def sources_of(texts: Mapping[str, str] | Iterable[str] | None) -> Sources:
    """What options say of fields: "compute=DCGM_FI_DEV_GPU_UTIL/100", "storage=disk:used*1024".

    Parameters
    ----------
    texts : mapping of field to source, sequence of "field=source", or None
        A source is a column or metric, with the name of its file before a colon where several
        files have one of that name, and with a factor behind it where units differ.

    Raises
    ------
    OptionError
        If a text is not of that form, or two name one field or one source.

    Examples
    --------
    >>> sources_of(["compute=gpu*0.01"]).factors
    {'compute': Fraction(1, 100)}
    """
    if texts is None:
        return Sources({}, {})
    pairs = texts.items() if isinstance(texts, Mapping) else map(_pair, texts)
    fields: dict[str, str] = {}
    factors: dict[str, Fraction] = {}
    for name, source in pairs:
        found = _FACTOR.fullmatch(source.strip())
        assert found is not None
        column = found["name"].strip()
        if not name or not column:
            raise OptionError(f"map {name}={source}: write FIELD=COLUMN, such as compute=gpu_util")
        if name in factors or column in fields:
            twice = name if name in factors else column
            raise OptionError(f"map {name}={source}: {twice!r} stands twice")
        fields[column] = name
        factors[name] = _factor(found["sign"], found["number"], f"map {name}={source}")
    return Sources(fields, factors)


def _pair(text: str) -> tuple[str, str]:
    name, _, source = text.partition("=")
    return name.strip(), source


def _factor(sign: str | None, number: str | None, where: str) -> Fraction:
    if number is None:
        return Fraction(1)
    try:
        value = Decimal(number)
    except InvalidOperation:
        raise OptionError(f"{where}: {number!r} is no number") from None
    if not value > 0 or not -_FAR <= value.adjusted() <= _FAR:
        raise OptionError(f"{where}: {number} is no factor; give a number above 0")
    return Fraction(value) if sign == "*" else 1 / Fraction(value)


class TaskName:
    """What names the task of a series: a column or label, or a text with labels in braces.

    Parameters
    ----------
    rule : str or None
        "pod", or "{namespace}/{pod}". Without one, the first of `TASK_LABELS` that the series
        has; of a namespace and a pod together both "namespace/pod" and "pod".

    Raises
    ------
    OptionError
        If a brace is not closed, or nothing stands in one.
    """

    def __init__(self, rule: str | None) -> None:
        self.rule = rule
        self._labels: tuple[str, ...] | None = None
        if rule is None:
            return
        self._labels = tuple(_LABEL.findall(rule)) if "{" in rule or "}" in rule else (rule,)
        if not self._labels or "" in self._labels or set("{}") & set(_LABEL.sub("", rule)):
            raise OptionError(
                f"task {rule!r}: name a column or label, or write labels in braces, such as "
                "{namespace}/{pod}"
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels that may be needed."""
        if self._labels is not None:
            return self._labels
        return tuple(
            dict.fromkeys(label for ways in TASK_LABELS for labels in ways for label in labels)
        )

    def of(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """What the task may be called, in the order in which to look it up; () if nothing is."""
        if self.rule is None:
            for ways in TASK_LABELS:
                found = tuple(
                    "/".join(labels[label] for label in wanted)
                    for wanted in ways
                    if all(labels.get(label) for label in wanted)
                )
                if found:
                    return found
            return ()
        assert self._labels is not None
        if not all(labels.get(label) for label in self._labels):
            return ()
        if "{" not in self.rule:
            return (labels[self.rule],)
        return (_LABEL.sub(lambda match: labels[match[1]], self.rule),)
