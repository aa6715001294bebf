"""The figures of tasks from what they use: percentile, margin and floor, all exact."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from typing import Any

from ..errors import UsageError
from ..files.usage.samples import REPEATED, Series, Usage
from ..model.exact import fraction_of
from ..model.instance import Instance, Number
from .combining import combined, nearest_rank
from .figures import FIGURES, figure_of, with_figures
from .options import DEFAULTS, Amount, ByField, Measuring, measuring
from .report import Figure, Key, Note, UsageReport

__all__ = ["rounded_up", "usage_report", "with_usage"]

_NOWHERE = "that run nowhere, or in which variant is not known"
_WHICH_PART = "in parts that differ, of which samples do not say which"
_SEVERAL_PODS = "of whose name several namespaces have a pod"
_NO_SUCH_PART = "with samples of a part they do not have"


def with_usage(
    instance: Instance,
    usage: Usage,
    *,
    percentile: ByField = DEFAULTS["percentile"],
    margin: ByField = DEFAULTS["margin"],
    min_samples: int = DEFAULTS["min_samples"],
    floor: ByField | None = None,
    several: str = DEFAULTS["several"],
    step: Amount | None = None,
    window: Amount | None = None,
    digits: int | None = None,
    multiple: ByField | None = None,
) -> tuple[Instance, UsageReport]:
    """The instance with the figures that tasks turned out to use.

    A figure becomes the percentile of its samples (nearest rank: a value that was measured) times
    1 + margin, in exact arithmetic; where it has more digits than a float holds, it is rounded up.
    What cannot be measured stays as it is: tasks without samples, or with too few; fields without
    samples; variants in which nothing runs now.

    Parameters
    ----------
    instance : Instance
        Of tasks with variants, `current` tells which one the samples are of.
    usage : Usage
        As `read_usage` reads it.
    percentile : number or mapping of field to number
        Above 0, at most 1. A mapping has those of single fields; "" stands for all others.
    margin : number, text such as "15%", or mapping
        What comes on top, as a share.
    min_samples : int
        With fewer samples (times, where samples have them) a figure stays.
    floor : number, text such as "10%", or mapping, optional
        No figure becomes less: a number in the unit of the field, or a share of the present
        figure. Without a floor, a figure of which nothing is used stays as it is.
    several : {"sum", "max"}
        What counts of the series of one task at a time, such as its containers or GPUs.
    step : number, optional
        Seconds within which times are one time; a series counts with the most of its samples.
    window : number, optional
        Samples count that are at most so many seconds older than the newest.
    digits : int, optional
        Significant digits that new figures are rounded up to: tasks that are alike get the same
        figures, which lets a solver treat them as one class.
    multiple : number or mapping, optional
        New figures are rounded up to a multiple of this: 1 where GPUs are given out whole.

    Returns
    -------
    Instance
    UsageReport

    Raises
    ------
    UsageError
        If nothing that was measured is a field of the instance.
    OptionError
        If an option is out of its range.

    Notes
    -----
    Equal parts have one figure: each part is measured by itself where samples tell the part, and
    the largest counts; otherwise each has an equal share. A variant of a model that several tasks
    name has one figure, too: the largest of those of the tasks that run in it. Percentile 0.9 and
    margin 15 % are what the Vertical Pod Autoscaler of Kubernetes takes for its target.

    Examples
    --------
    >>> instance = Instance.from_arrays(node_compute=[10], task_ids=["t"], task_compute=[8])
    >>> usage = Usage.of({"t": {"compute": [1, 2, 3, 4, 5, 6, 7, 2, 2, 2]}})
    >>> adjusted, report = with_usage(instance, usage, min_samples=10)
    >>> adjusted.tasks[0].compute, report.figures[0].usage
    (6.9, 6)
    """
    report = usage_report(
        instance,
        usage,
        percentile=percentile,
        margin=margin,
        min_samples=min_samples,
        floor=floor,
        several=several,
        step=step,
        window=window,
        digits=digits,
        multiple=multiple,
    )
    new = {f.key: f.new for f in report.figures if f.new != f.old}
    return with_figures(instance, new), report


def usage_report(instance: Instance, usage: Usage, **options: Any) -> UsageReport:
    """What `with_usage` would make of the figures, with the same options and errors."""
    given = {**DEFAULTS, **options}
    return _Run(instance, usage, measuring(instance, **given)).report()


def rounded_up(value: Fraction, digits: int | None = None) -> Number:
    """The number, or where a float has too few digits for it the next one that is not below it.

    Parameters
    ----------
    value : Fraction
        0 or more.
    digits : int, optional
        Round up to so many significant digits first.

    Examples
    --------
    >>> rounded_up(Fraction(1, 3)), rounded_up(Fraction(57308, 1000), 3), rounded_up(Fraction(7))
    (0.33333333333333337, 57.4, 7)
    """
    if digits is not None and value:
        power = Fraction(10) ** (_magnitude(value) - digits + 1)
        value = math.ceil(value / power) * power
    if value.denominator == 1:
        return int(value)
    try:
        found = float(value)
    except OverflowError:
        return math.ceil(value)
    while fraction_of(found) < value:
        found = math.nextafter(found, math.inf)
    return int(found) if found.is_integer() and found < 2**53 else found


def _magnitude(value: Fraction) -> int:
    """The power of ten of the first digit of a number above 0."""
    guess = len(str(value.numerator)) - len(str(value.denominator))
    return guess if value >= Fraction(10) ** guess else guess - 1


class _Run:
    """The samples of an instance, by figure."""

    def __init__(self, instance: Instance, usage: Usage, options: Measuring) -> None:
        self._instance, self._usage, self._options = instance, usage, options
        self._task_at = {name: j for j, name in enumerate(instance.task_ids.tolist())}
        self._names: list[str] = instance.task_ids.tolist()
        known = (*FIGURES, *instance.node_resources)
        self._fields = tuple(field for field in usage.fields if field in known)
        self._unknown_fields = tuple(field for field in usage.fields if field not in known)
        if usage.fields and not self._fields:
            raise UsageError(
                f"nothing that was measured ({', '.join(usage.fields[:5])}) is a field of the "
                f"instance ({', '.join(known)}); map one, such as compute={usage.fields[0]}"
            )
        self._unknown: Counter[str] = Counter()
        self._unattributed: dict[str, dict[str, None]] = {}
        self._unaligned: dict[str, None] = {}
        self._dropped = Counter(usage.dropped)
        times = [max(series.times) for series in usage.series if series.times]
        window = options.window if times else None
        self._since = None if window is None else Fraction(max(times)) - window

    def report(self) -> UsageReport:
        """Attribute all samples, and make the figures."""
        groups = self._groups()
        made: dict[Key, list[tuple[Fraction | None, int]]] = {}
        for (j, part, field), series in groups.items():
            key, share = self._key_of(j, part, field)
            if key is None:
                self._unattributed.setdefault(share, {})[self._names[j]] = None
                continue
            usage, samples = self._measured(j, field, series)
            made.setdefault(key, []).append((None if usage is None else usage / share, samples))
        measured = {j for j, _, _ in groups}
        unattributed = {reason: tuple(tasks) for reason, tasks in self._unattributed.items()}
        return UsageReport(
            figures=tuple(self._figure(key, found) for key, found in made.items()),
            without_samples=tuple(name for j, name in enumerate(self._names) if j not in measured),
            unknown=self._unknown,
            unattributed=unattributed,
            unaligned=tuple(self._unaligned),
            dropped=self._dropped,
            unknown_fields=self._unknown_fields,
            notes=self._usage.notes,
        )

    def _groups(self) -> dict[tuple[int, int | None, str], list[Series]]:
        """The series of each task, part and field."""
        groups: dict[tuple[int, int | None, str], list[Series]] = {}
        listed = [series for series in self._usage.series if series.field in self._fields]
        task_of = self._tasks_by_names({series.names for series in listed})
        for series in listed:
            j = task_of[series.names]
            if j is None:
                self._unknown[series.names[0]] += len(series.values)
            elif series.values and j >= 0:
                groups.setdefault((j, series.part, series.field), []).append(series)
        return groups

    def _tasks_by_names(self, names: set[tuple[str, ...]]) -> dict[tuple[str, ...], int | None]:
        """The task that is meant by each "namespace/pod" and "pod", or other names; -1: unclear.

        A pod's own name is enough where the instance names no namespaces and one namespace alone
        has a pod of that name, and for the namespace "default".
        """
        at = self._task_at
        has_namespaces = any(each[0] in at for each in names if len(each) > 1)
        found: dict[tuple[str, ...], int | None] = {}
        by_task: dict[int, list[tuple[str, ...]]] = {}
        for each in sorted(names):
            j = at.get(each[0])
            if j is None and len(each) > 1:
                is_clear = not has_namespaces or each[0].startswith("default/")
                j = at.get(each[1]) if is_clear else None
                if j is not None:
                    by_task.setdefault(j, []).append(each)
            found[each] = j
        for j, several in by_task.items():
            if len(several) > 1:
                self._unattributed.setdefault(_SEVERAL_PODS, {})[self._names[j]] = None
                found.update(dict.fromkeys(several, -1))
        return found

    def _key_of(self, j: int, part: int | None, field: str) -> tuple[Key | None, Any]:
        """The figure that samples belong to, and among how many parts they are shared.

        Where there is none, None and the reason.
        """
        instance, name = self._instance, self._names[j]
        number = int(instance.task_model[j])
        if number < 0:
            is_it = part in (None, 1)
            return (Key(name, None, None, None, field), 1) if is_it else (None, _NO_SUCH_PART)
        variant = self._variant_of(j)
        if variant is None:
            return None, _NOWHERE
        model = instance.model_names[number]
        task = name if model is None else None
        parts = variant.parts
        count = parts if isinstance(parts, int) else len(parts)
        if part is not None and part > count:
            return None, _NO_SUCH_PART
        if isinstance(parts, int):
            return Key(task, model, variant.name, None, field), count if part is None else 1
        if part is None and count > 1:
            return None, _WHICH_PART
        return Key(task, model, variant.name, part or 1, field), 1

    def _variant_of(self, j: int) -> Any:
        """The variant in which a task runs now; the only one that it has, where it has one."""
        instance = self._instance
        variants = instance.variants_of(j)
        if len(variants) == 1:
            return variants[0]
        if instance.current is None:
            return None
        rows = instance.rows
        for row in range(int(rows.task_start[j]), int(rows.task_start[j + 1])):
            if instance.current[row] >= 0:
                return variants[int(rows.form_variant[rows.form[row]])]
        return None

    def _measured(self, j: int, field: str, series: list[Series]) -> tuple[Fraction | None, int]:
        """The percentile of one task, None if samples are too few, and how many there are."""
        options = self._options
        found = combined(series, options.several, options.step, self._since)
        if found.repeated:
            self._dropped[REPEATED] += found.repeated
        if not found.is_aligned:
            self._unaligned[self._names[j]] = None
        count = len(found.values)
        if count < options.min_samples:
            return None, count
        value = nearest_rank(found.values, options.percentile_of(field))
        return Fraction(value) * self._usage.factors.get(field, 1), count

    def _figure(self, key: Key, found: list[tuple[Fraction | None, int]]) -> Figure:
        old = figure_of(self._instance, key, self._task_at)
        assert old is not None
        enough = [(usage, samples) for usage, samples in found if usage is not None]
        if not enough:
            samples = max(samples for _, samples in found)
            return Figure(key, len(found), samples, None, old, old, Note.FEW)
        usage, samples = max(enough)
        present = fraction_of(old)
        floor = self._options.floor_of(key.field, present)
        wanted = usage * (1 + self._options.margin_of(key.field))
        note = Note.MEASURED
        if floor is not None and wanted < floor:
            wanted, note = floor, Note.FLOOR
        multiple = self._options.multiple_of(key.field)
        if multiple is not None:
            wanted = math.ceil(wanted / multiple) * multiple
        new = rounded_up(wanted, self._options.digits if note is Note.MEASURED else None)
        if not usage and floor is None:
            new, note = old, Note.IDLE
        return Figure(key, len(enough), samples, rounded_up(usage), old, new, note)
