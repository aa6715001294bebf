"""What runs now: what it costs, what it breaks, and whether it can stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from ..errors import OptionError
from ..files.text import did_you_mean
from ..judge.check import Violation, check
from ..judge.cost import cost_in_units, in_user_units
from ..model.checking.validation import labels_of
from ..model.exact import Array, fraction_of, number_of
from ..model.instance import Instance, Number

__all__ = ["Present", "states_after"]


@dataclass(frozen=True)
class Present:
    """The placement that is there now, within an instance that says what is to become of it.

    Parameters
    ----------
    instance : Instance
        One with `current`.
    """

    instance: Instance

    @property
    def node_index(self) -> Array:
        """(W,) position of the node of each row, -1 for nowhere."""
        current = self.instance.current
        assert current is not None
        return current

    @cached_property
    def units(self) -> int:
        """The cost now in exact units: what is somewhere, as it stands, whatever it breaks.

        A task that is nowhere and must run adds nothing; one that may be left out, its skip
        price. Nothing moves.
        """
        return cost_in_units(self.instance, self.node_index)

    @property
    def cost(self) -> Number:
        """The cost now, in the user's unit."""
        cost = in_user_units(self.instance, self.units)
        assert cost is not None
        return cost

    @cached_property
    def violations(self) -> tuple[Violation, ...]:
        """Every rule that staying would break, tasks without a place included."""
        return tuple(check(self.instance, self.node_index))

    @property
    def can_stay(self) -> bool:
        """Whether the present placement is an allocation that keeps every rule."""
        return not self.violations

    @property
    def broken(self) -> tuple[Violation, ...]:
        """What is broken now: neither tasks that are nowhere yet, nor what drained nodes hold."""
        return tuple(
            each
            for each in self.violations
            if each.rule != "unassigned" and (each.rule, each.state) != ("state", "drained")
        )

    @property
    def num_nowhere(self) -> int:
        """How many tasks have no place now."""
        instance = self.instance
        placed = np.unique(instance.rows.task[self.node_index >= 0])
        return instance.num_tasks - int(placed.size)

    def saving_of(self, units: int) -> Number:
        """Cost now less a cost in exact units."""
        return number_of(self.units - units, self.instance.exact.cost_scale)

    def saving_bound(self, bound: Number) -> Number:
        """Cost now less a proven bound of the cost, rounded up where a float cannot hold it."""
        lowest = fraction_of(bound)
        if isinstance(bound, float):
            lowest = min(lowest, Fraction(bound))  # what it prints as, and what it is
        most = Fraction(self.units, self.instance.exact.cost_scale) - lowest
        return -number_of(-most.numerator, most.denominator, floor=True)

    def least_saving(self, wanted: Number | str) -> Fraction:
        """What a plan has to save at least, exactly.

        Parameters
        ----------
        wanted : number or str
            An amount of money, or a share of the cost now such as "2%".

        Raises
        ------
        OptionError
            If it is neither, or negative.
        """
        share = isinstance(wanted, str) and wanted.strip().endswith("%")
        try:
            amount = Fraction(
                wanted.strip().rstrip("%") if isinstance(wanted, str) else str(wanted)
            )
        except (TypeError, ValueError, ZeroDivisionError):
            amount = Fraction(-1)
        if amount < 0 or isinstance(wanted, bool):
            raise OptionError(
                f"min_saving is {wanted!r}; it must be an amount of 0 or more, such as 10, or a "
                "share of the cost now, such as '2%'"
            )
        if not share:
            return amount
        return amount / 100 * Fraction(self.units, self.instance.exact.cost_scale)


def states_after(
    instance: Instance, drain: Iterable[str] | str, cordon: Iterable[str] | str
) -> list[str] | None:
    """The states of the nodes where some are drained or cordoned; None where none change.

    Parameters
    ----------
    instance : Instance
    drain, cordon : ids of nodes, kinds, or label values such as "zone=a"
        A node that is drained stays so.

    Raises
    ------
    OptionError
        If a name stands for no node.
    """
    states = list(instance.node_state)
    for option, names, state in (("cordon", cordon, "cordoned"), ("drain", drain, "drained")):
        for name in [names] if isinstance(names, str) else list(names):
            found = _nodes_named(instance, name)
            if not found:
                known = sorted(
                    labels_of(instance.node_ids, instance.node_kind, instance.node_labels)
                )
                raise OptionError(
                    f"{option} names {name!r}; it must be the id of a node, a kind or a label "
                    f"value such as 'zone=a'{did_you_mean(str(name), known)}"
                )
            for i in found:
                states[i] = state if states[i] != "drained" else "drained"
    return states if tuple(states) != tuple(instance.node_state) else None


def _nodes_named(instance: Instance, name: str) -> list[int]:
    key, equals, value = str(name).partition("=")
    label = instance.node_labels.get(key) if equals else None
    return [
        i
        for i, (node, kind) in enumerate(
            zip(instance.node_ids.tolist(), instance.node_kind, strict=True)
        )
        if name in (node, kind) or (label is not None and label[i] == value)
    ]
