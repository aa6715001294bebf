"""What the tables of an instance call things."""

from __future__ import annotations

from ...model.fields import reserved_names

__all__ = ["BETWEEN", "field_meant"]

BETWEEN = "|"
"""Stands between the names in a cell that lists several."""


def field_meant(name: str) -> str | None:
    """The field that a column such as "Overload Price" or "KIND" stands for."""
    plain = name.strip().casefold().replace(" ", "_").replace("-", "_")
    return plain if plain in reserved_names() else None
