"""What runs now: its cost, what it breaks, and the most that could be saved."""

from __future__ import annotations

from fractions import Fraction

import typer

from ...bounds.lower_bound import lower_bound
from ...errors import OptionError
from ...files.text import tidy
from ...model.instance import Instance, Number
from ...plan.present import Present
from ..display import number, tell
from ..shared import BAD_INPUT, INFEASIBLE, Stop

__all__ = ["analyse", "saving"]

_MOST_VIOLATIONS = 50


def analyse(instance: Instance, time_limit: float) -> None:
    """Print what the present placement costs, what it breaks, and what could be saved at most.

    Raises
    ------
    Stop
        With the code of bad input if something is broken, of infeasibility if nothing mends it.
    """
    if instance.current is None:
        raise OptionError(
            "name an allocation, or give an instance that says where tasks are now (`current`; in "
            "CSV the column node)"
        )
    present = Present(instance)
    unit = f" {instance.currency}" if instance.currency else ""
    typer.echo(f"cost now {tidy(present.cost)}{unit}")
    if present.num_nowhere:
        typer.echo(f"nowhere now {present.num_nowhere:,} of {instance.num_tasks:,} tasks")
    told = [violation for violation in present.violations if violation.rule != "unassigned"]
    for violation in told[:_MOST_VIOLATIONS]:
        tell(str(violation))
    if len(told) > _MOST_VIOLATIONS:
        typer.echo(f"... and {len(told) - _MOST_VIOLATIONS:,} more")
    bound = lower_bound(instance, time_limit=time_limit)
    if bound is None:
        typer.echo("there is no allocation that keeps every rule; `nodewise solve` says why")
        raise Stop(INFEASIBLE)
    typer.echo(f"bound {tidy(bound)}{unit}")
    typer.echo(f"could save at most {saving(present.saving_bound(bound), present.cost, unit)}")
    if present.violations:
        raise Stop(BAD_INPUT)
    typer.echo("feasible")


def saving(most: Number, cost: Number, unit: str) -> str:
    """An amount saved and its share of the cost now: "90.14 USD (6.92%)"."""
    if most <= 0:
        return "nothing"
    share = f" ({float(100 * Fraction(most) / Fraction(cost)):.2f}%)" if cost else ""
    return f"{number(most)}{unit}{share}"
