"""Usage as Prometheus answers queries: JSON of its HTTP API, or what `promtool` prints.

The format: https://prometheus.io/docs/prometheus/latest/querying/api/.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any

from ...errors import UsageError
from ..objects.loading import kind_of
from ..text import decode
from .samples import Series, Usage, sample_of, time_of
from .sources import Sources, TaskName

__all__ = ["parse_prometheus"]

_SHOWN = 5
_MOST_NOTE = 300


def parse_prometheus(data: bytes, where: str, stem: str, sources: Sources, task: TaskName) -> Usage:
    """Read samples from the content of an answer of `/api/v1/query` or `/api/v1/query_range`.

    A metric is the field of its name, or the one that `sources` says; series without a name, as
    aggregations have them, are called as the file is. The label `part` numbers the parts of a
    task. NaN, which stale markers are, and infinities are dropped.

    Raises
    ------
    UsageError
        If the text is not such an answer, or the answer says that the query failed.
    """
    answer = _loaded(data, where)
    notes: list[str] = []
    result = _result(answer, where, notes)
    dropped: Counter[str] = Counter()
    unmapped: Counter[str] = Counter()
    unnamed = histograms = 0
    made = []
    known: dict[str, Decimal | None] = {}
    for number, record in enumerate(result):
        place = f"{where}: result[{number}]"
        labels = _labels(record, place)
        name = labels.get("__name__") or stem
        field = sources.field_of(stem, name)
        if field is None:
            unmapped[name] += 1
            continue
        names = task.of(labels)
        if not names:
            unnamed += 1
            continue
        times, values = _samples(record, place, dropped, known)
        if not values and ("histogram" in record or "histograms" in record):
            histograms += 1
            continue
        label = tuple(sorted(labels.items()))
        made.append(Series(names, field, _part(labels, place), label, times, values))
    if unmapped:
        shown = ", ".join(list(unmapped)[:_SHOWN])
        notes.append(
            f"{where}: {sum(unmapped.values()):,} series of metrics that no field is mapped to "
            f"({shown})"
        )
    if unnamed:
        wanted = task.rule or "one of the labels " + ", ".join(task.labels)
        notes.append(f"{where}: {unnamed:,} series do not tell their task by {wanted}")
    if histograms:
        notes.append(f"{where}: {histograms:,} series of native histograms; ask for a number")
    return Usage(tuple(made), sources.factors, dropped, tuple(notes))


def _loaded(data: bytes, where: str) -> Any:
    text = decode(data, where, UsageError)

    def refuse(token: str) -> None:
        raise UsageError(f"{where}: {token} is not a number in JSON; Prometheus writes samples")

    try:
        return json.loads(text, parse_constant=refuse, parse_float=_Text, parse_int=_Text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{where}, line {error.lineno}, column {error.colno}: the file is not JSON, or it is "
            f"cut short: {error.msg}"
        ) from None
    except RecursionError:
        raise UsageError(f"{where}: the JSON is nested too deeply") from None


class _Text(str):
    """A number as it stands in the file."""

    __slots__ = ()


def _kind_of(value: Any) -> str:
    return "number" if isinstance(value, _Text) else kind_of(value)


def _result(answer: Any, where: str, notes: list[str]) -> list[Any]:
    """The series of an answer: of the API, its `data`, or a bare list as promtool prints it."""
    if isinstance(answer, dict) and "status" in answer:
        _require_success(answer, where)
        for kind in ("warnings", "infos"):
            said = answer.get(kind)
            for each in said if isinstance(said, list) else ():
                notes.append(f"{where}: Prometheus says: {str(each)[:_MOST_NOTE]}")
        answer = answer.get("data")
    elif isinstance(answer, dict) and "result" not in answer:
        raise UsageError(f"{where}: this is no answer of Prometheus: it has no status and no data")
    if isinstance(answer, dict):
        form = str(answer.get("resultType"))[:_MOST_NOTE]
        if form not in ("matrix", "vector"):
            raise UsageError(
                f"{where}: resultType is {form!r}; only a matrix or a vector has series of tasks"
            )
        answer = answer.get("result")
    if not isinstance(answer, list):
        raise UsageError(
            f"{where}: the result is a JSON {_kind_of(answer)}; it must be an array of series"
        )
    return answer


def _require_success(answer: dict[str, Any], where: str) -> None:
    if answer["status"] != "success":
        said = [str(answer[key])[:_MOST_NOTE] for key in ("errorType", "error") if key in answer]
        raise UsageError(f"{where}: the query failed: {': '.join(said) or 'no reason is given'}")


def _labels(record: Any, place: str) -> dict[str, str]:
    if not isinstance(record, dict):
        raise UsageError(f"{place} is a JSON {_kind_of(record)}; a series is an object")
    labels = record.get("metric")
    if not isinstance(labels, dict) or not all(type(value) is str for value in labels.values()):
        raise UsageError(f"{place}: metric must be an object of labels, each a text")
    return labels


def _part(labels: dict[str, str], place: str) -> int | None:
    text = labels.get("part")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise UsageError(f"{place}: the label part is {text!r}; parts are numbered from 1")
    return int(text)


def _samples(
    record: dict[str, Any], place: str, dropped: Counter[str], known: dict[str, Decimal | None]
) -> tuple[list[Decimal], list[Decimal]]:
    pairs = record.get("values")
    if pairs is None:
        pairs = [record["value"]] if "value" in record else []
    if not isinstance(pairs, list):
        raise UsageError(f"{place}: values must be an array of samples")
    if not pairs and not {"value", "values", "histogram", "histograms"} & record.keys():
        raise UsageError(f"{place} has neither value nor values")
    times: list[Decimal] = []
    values: list[Decimal] = []
    for number, pair in enumerate(pairs):
        if not isinstance(pair, list) or len(pair) != 2:
            raise UsageError(f"{place}, sample {number}: it must be an array of a time and a value")
        moment = _moment(pair[0], known)
        if moment is None:
            raise UsageError(f"{place}, sample {number}: the time must be a number of seconds")
        value = sample_of(pair[1]) if isinstance(pair[1], str) else None
        if value is None:
            raise UsageError(
                f"{place}, sample {number}: the value must be a number as text, 0 or more; where a "
                "query can give less, wrap it in clamp_min(..., 0)"
            )
        if isinstance(value, Decimal):
            times.append(moment)
            values.append(value)
        else:
            dropped[value] += 1
    return times, values


def _moment(text: Any, known: dict[str, Decimal | None]) -> Decimal | None:
    if not isinstance(text, str):
        return None
    if text not in known:
        known[text] = time_of(text)
    return known[text]
