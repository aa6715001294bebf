"""Variants, their parts and models in JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

from ...errors import InstanceError
from ...model.records import Part, Variant
from ..eligibility import EligibleGroups
from ..text import did_you_mean, tidy
from .loading import kind_of, require_keys

__all__ = ["VariantReader", "variants_to_write"]


@dataclass(frozen=True)
class VariantReader:
    """Makes records of what a file has for variants.

    Attributes
    ----------
    groups : EligibleGroups
    resources : collection of str
        Those that nodes list.
    """

    groups: EligibleGroups
    resources: Collection[str]

    def models(self, given: Any, where: str) -> dict[str, list[Variant]] | None:
        """The variants of each model, from an object of arrays.

        Raises
        ------
        InstanceError
            Naming the model, the variant and the key.
        """
        if given is None:
            return None
        if type(given) is not dict:
            raise InstanceError(
                f"{where}: models is a JSON {kind_of(given)}; it must be an object that has an "
                "array of variants by the name of each model"
            )
        return {
            name: self.variants(variants, f"{where}: models[{name!r}]")
            for name, variants in given.items()
        }

    def variants(self, given: Any, where: str) -> list[Variant]:
        """The variants of one task or model, from an array of objects.

        Raises
        ------
        InstanceError
            Naming the variant and the key.
        """
        if type(given) is not list:
            raise InstanceError(
                f"{where} is a JSON {kind_of(given)}; it must be an array of variants, each an "
                "object"
            )
        return [self._variant(record, f"{where}[{k}]") for k, record in enumerate(given)]

    def _variant(self, record: Any, where: str) -> Variant:
        values = self._values(record, Variant, where)
        parts = values.get("parts")
        if type(parts) is list:
            where = _named(record, where)
            values["parts"] = [
                Part(**self._values(part, Part, f"{where}: parts[{k}]"))
                for k, part in enumerate(parts)
            ]
        return Variant(**values)

    def _values(self, record: Any, kind: type[Variant] | type[Part], where: str) -> dict[str, Any]:
        """The values of an object that are not null, if it has all that `kind` needs."""
        if type(record) is not dict:
            raise InstanceError(f"{where} is a JSON {kind_of(record)}; it must be an object")
        where = _named(record, where)
        require_keys(record, [field.name for field in fields(kind)], where)
        for field in fields(kind):
            required = field.default is MISSING and field.default_factory is MISSING
            if required and field.name not in record:
                hint = did_you_mean(field.name, record)
                raise InstanceError(f"{where}: {field.name} is missing{hint}")
            if required and record[field.name] is None:
                raise InstanceError(f"{where}: {field.name} is null; it must be given")
        values = {key: value for key, value in record.items() if value is not None}
        if "eligible" in values:
            try:
                values["eligible"] = self.groups.labels_of(values["eligible"])
            except InstanceError as error:
                raise InstanceError(f"{where}: eligible: {error}") from None
        self._require_resources(values.get("resources", {}), where)
        return values

    def _require_resources(self, needs: Any, where: str) -> None:
        if type(needs) is not dict:
            raise InstanceError(f"{where}: resources must be an object of names and numbers")
        for key in needs:
            if key not in self.resources:
                raise InstanceError(
                    f"{where}: resources[{key!r}] is a resource that no node lists"
                    f"{did_you_mean(key, self.resources)}"
                )


def _named(record: dict[str, Any], where: str) -> str:
    return f"{where} ({record['name']!r})" if "name" in record else where


def variants_to_write(variants: Iterable[Variant]) -> list[dict[str, Any]]:
    """The variants of a task or model as JSON data, without what is a default."""
    return [_to_write(variant) for variant in variants]


def _to_write(record: Variant | Part) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name == "resources":
            value = {name: tidy(need) for name, need in value.items() if need} or None
        elif field.name == "parts" and isinstance(value, Sequence):
            value = [_to_write(part) for part in value]
        elif isinstance(value, tuple):
            value = list(value)
        if value is not None and value != field.default:
            written[field.name] = tidy(value)
    return written
