"""What a job over several nodes takes on each of them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from solver.errors import InstanceError

from .values import Needs, Record, gres_of

__all__ = ["shares_of"]

_KIB = 1024


def shares_of(record: Record, needs: Needs, count: int) -> tuple[tuple[Needs, ...], bool]:
    """What a job takes on each of its nodes, which sums to what it takes.

    CPUs and memory as `job_resources` tells them, GPUs as `gres_detail` does, wherever these sum to
    the same; otherwise evenly.

    Parameters
    ----------
    record : Record
    needs : Needs
        Of all nodes together.
    count : int
        The number of nodes.

    Returns
    -------
    shares : tuple of Needs
    guessed : bool
        Whether something was shared evenly that cannot be divided by the number of nodes.
    """
    if count == 1:
        return (needs,), False
    told = [_told(item) for item in _allocated(record)]
    cpus = _matching([cpu for cpu, _ in told], Fraction(needs.cpu), count)
    memory = _matching([amount for _, amount in told], needs.memory, count)
    gpus = _gpus(record, needs, count)
    guessed = False
    if cpus is None:
        cpus, odd = _even(Fraction(needs.cpu), count, 1)
        guessed |= odd
    if memory is None:
        memory, odd = _even(needs.memory, count, _KIB if needs.memory.denominator != 1 else 1)
        guessed |= odd
    if gpus is None:
        gpus, odd = _even_gpus(needs, count)
        guessed |= odd
    shares = [Needs(int(cpu), amount) for cpu, amount in zip(cpus, memory, strict=True)]
    for share, (gpu, types) in zip(shares, gpus, strict=True):
        share.gpu, share.types = gpu, {kind: each for kind, each in types.items() if each}
    for name, each in needs.gres.items():
        even, odd = _even(Fraction(each), count, 1)
        guessed |= odd
        for share, amount in zip(shares, even, strict=True):
            if amount:
                share.gres[name] = int(amount)
    return tuple(shares), guessed


def _even(total: Fraction, count: int, per_unit: int) -> tuple[list[Fraction], bool]:
    """As even shares as whole units allow, the larger ones first; whether they differ."""
    units = -(-total.numerator * per_unit // total.denominator)
    share, more = divmod(units, count)
    return [Fraction(share + (k < more), per_unit) for k in range(count)], bool(more)


def _even_gpus(needs: Needs, count: int) -> tuple[list[tuple[int, dict[str, int]]], bool]:
    """GPUs and those of each type on each node; whether they differ."""
    kinds = {kind: _even(Fraction(each), count, 1) for kind, each in needs.types.items()}
    other, odd = _even(Fraction(max(needs.gpu - sum(needs.types.values()), 0)), count, 1)
    of_node = [{kind: int(each[k]) for kind, (each, _) in kinds.items()} for k in range(count)]
    gpus = [(int(other[k]) + sum(types.values()), types) for k, types in enumerate(of_node)]
    return gpus, odd or any(differ for _, differ in kinds.values())


def _matching(told: list[int | None], total: Fraction, count: int) -> list[Fraction] | None:
    """What is told for each node, where it is told for all and sums to the total."""
    if len(told) != count or any(each is None for each in told):
        return None
    amounts = [Fraction(each or 0) for each in told]
    return amounts if sum(amounts) == total else None


def _allocated(record: Record) -> list[Any]:
    """The nodes in `job_resources`, in the place where the version of Slurm has them."""
    resources = record.data.get("job_resources")
    if not isinstance(resources, dict):
        return []
    nodes = resources.get("nodes")
    found = nodes.get("allocation") if isinstance(nodes, dict) else resources.get("allocated_nodes")
    if isinstance(found, dict):  # by number
        keys = sorted(found, key=lambda key: (len(key), key))
        return [found[key] for key in keys]
    return found if isinstance(found, list) else []


def _told(item: Any) -> tuple[int | None, int | None]:
    """CPUs and MiB on a node, None where it does not tell them."""
    if not isinstance(item, dict):
        return None, None
    cpus, memory = item.get("cpus"), item.get("memory", item.get("memory_allocated"))
    cpus = cpus.get("count") if isinstance(cpus, dict) else cpus
    memory = memory.get("allocated") if isinstance(memory, dict) and "set" not in memory else memory
    return _number(cpus), _number(memory)


def _number(value: Any) -> int | None:
    try:
        return Record({"number": value}, "").number("number")
    except InstanceError:
        return None


def _gpus(record: Record, needs: Needs, count: int) -> list[tuple[int, dict[str, int]]] | None:
    """GPUs on each node by `gres_detail`, where they sum to what the job takes."""
    listed = record.data.get("gres_detail")
    if not needs.gpu or not isinstance(listed, list) or len(listed) != count:
        return None
    found, types = [], dict.fromkeys(needs.types, 0)
    for text in listed:
        each = Needs()
        try:
            each.add_gres(gres_of(str(text)))
        except ValueError:
            return None
        for kind in types:
            types[kind] += each.types.get(kind, 0)
        found.append((each.gpu, {kind: each.types.get(kind, 0) for kind in types}))
    same = types == needs.types and sum(gpu for gpu, _ in found) == needs.gpu
    return found if same else None
