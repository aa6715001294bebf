"""What electricity costs: the setting `energy` of an instance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import InstanceError
from ..exact import fraction_of
from ..records import Number

__all__ = ["Energy", "checked_energy", "energy_to_write"]


@dataclass(frozen=True, slots=True)
class Energy:
    """The price of electricity, and for how long it is paid.

    Parameters
    ----------
    hours : int or float
        How long the nodes run; prices of an instance are for the same time.
    price_per_kwh : int or float
        In the unit of cost.
    pue : int or float
        Power usage effectiveness of the building: power drawn in all by power of the nodes, 1 or
        more.
    grams_per_kwh : int or float
        Grams of CO2 equivalent, for the report.
    """

    hours: Number
    price_per_kwh: Number = 0
    pue: Number = 1
    grams_per_kwh: Number = 0

    @property
    def kwh_per_watt(self) -> Fraction:
        """kWh drawn for each watt of a node over the whole time, exactly."""
        return fraction_of(self.pue) * fraction_of(self.hours) / 1000

    @property
    def cost_per_watt(self) -> Fraction:
        """What each watt of a node costs over the whole time, exactly."""
        return fraction_of(self.price_per_kwh) * self.kwh_per_watt


def checked_energy(value: Any) -> Energy | None:
    """The setting as an `Energy`, from one or from a mapping of its fields."""
    if value is None:
        return None
    names = [field.name for field in fields(Energy)]
    given = asdict(value) if isinstance(value, Energy) else value
    if not isinstance(given, Mapping):
        raise InstanceError(f"energy is {value!r}; it must have the fields {', '.join(names)}")
    for name in given:
        if name not in names:
            raise InstanceError(
                f"energy: the field {name!r} is unknown (known: {', '.join(names)})"
            )
    if "hours" not in given:
        raise InstanceError("energy: hours is missing; say for how long the nodes run")
    given = {
        name: number.item() if isinstance(number, np.generic) else number
        for name, number in given.items()
    }
    for name, number in given.items():
        least = 1 if name == "pue" else 0
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if not is_number or not least <= number < math.inf or number > 1e300:
            raise InstanceError(
                f"energy: {name} is {number!r}; it must be a finite number, {least} or more"
            )
    return Energy(**given)


def energy_to_write(energy: Energy) -> dict[str, Number]:
    """The fields that are not defaults, and the hours."""
    default = asdict(Energy(hours=0))
    return {
        name: value
        for name, value in asdict(energy).items()
        if name == "hours" or value != default[name]
    }
