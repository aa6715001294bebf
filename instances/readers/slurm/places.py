"""Where jobs may run: partitions, features, types of GPUs and lists of hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..notes import Notes
from .constraints import Constraint, constraint_of
from .jobs import Job
from .nodes import ClusterNode

__all__ = ["Places"]

_Answer = tuple[tuple[str, ...] | None, tuple[str, ...] | None, str | None]


class Places:
    """The nodes that are up, and which of them a job may run on.

    Parameters
    ----------
    nodes : sequence of ClusterNode
        Those that are up.
    others : sequence of ClusterNode
        Those that are not.
    """

    def __init__(self, nodes: Sequence[ClusterNode], others: Sequence[ClusterNode]) -> None:
        self._nodes = nodes
        self.position = {node.name: k for k, node in enumerate(nodes)}
        self.mixed_types = {
            kind for node in nodes if len(node.has.types) > 1 for kind in node.has.types
        }
        """Types of GPUs on nodes that have several, where a count of all would not do."""
        self.gres = {name for node in nodes for name in node.has.gres}
        """Names of the generic resources that nodes have."""
        self.has_gpus = any(node.has.gpu for node in nodes)
        self._gone = {name for node in others for name in node.has.gres} - self.gres
        plain = {"+".join(sorted(node.has.types)) for node in nodes}
        self._before = "" if plain.isdisjoint(self.position) else "gpu:"  # `eligible` names both
        self._known: dict[object, _Answer] = {}
        self._groupings = [
            _grouped(nodes, lambda node: f"partitions={','.join(node.partitions)}", "partitions"),
            _grouped(nodes, lambda node: self.kind(node) or "", "kind"),
            _grouped(nodes, lambda node: f"features={','.join(node.features)}", "features"),
        ]

    def kind(self, node: ClusterNode) -> str | None:
        """The types of the GPUs of a node."""
        types = "+".join(sorted(node.has.types))
        return f"{self._before}{types}" if types else None

    def of(self, job: Job, parts: int, notes: Notes) -> _Answer:
        """What a job's `eligible` and `pinned` are, or why no node will do.

        What it runs on now is never taken from it: where the rules say that it may not run there,
        the job stays pinned to its nodes.

        Parameters
        ----------
        job : Job
        parts : int
        notes : Notes
        """
        constraint = None
        if job.constraint:
            constraint = constraint_of(job.constraint, one_node=parts == 1)
            if constraint is None:
                what = f"features that count or concern several nodes ({job.constraint[:40]})"
                notes.add("not modelled", what, job.id)
        stay = tuple(node for node in job.nodes if node in self.position) if job.nodes else None
        if stay and job.constraint and constraint is None:
            return None, stay, None
        kinds = tuple(sorted({kind for share in job.shares for kind in share.types}))
        gres = tuple(sorted({name for share in job.shares for name in share.gres}))
        for name in gres:
            if name not in self.gres and name not in self._gone:
                notes.add("not modelled", f"gres/{name}, which no node counts", job.id)
        gres = tuple(name for name in gres if name in self._gone)
        if not self.has_gpus and any(share.gpu for share in job.shares):
            gres = ("gpu", *gres)
        required = job.required if len(job.required) == parts else ()
        if job.required and not required and not job.nodes:
            notes.add("not modelled", "some nodes that the job must have", job.id)
        key = (job.partitions, job.constraint, parts, kinds, gres, required, job.excluded)
        if key not in self._known:
            self._known[key] = self._answer(job, constraint, kinds, gres, required, parts)
        eligible, pinned, problem = self._known[key]
        if stay is not None and (problem is not None or not self._allows(eligible, pinned, stay)):
            what = "kept where they run, as they could not start there now"
            notes.add("read as", what, job.id)
            return None, stay, None
        return eligible, pinned, problem

    def _answer(
        self,
        job: Job,
        constraint: Constraint | None,
        kinds: tuple[str, ...],
        gres: tuple[str, ...],
        required: tuple[str, ...],
        parts: int,
    ) -> _Answer:
        wanted, refused = set(job.partitions), set(job.excluded)
        allowed = [
            k
            for k, node in enumerate(self._nodes)
            if (not wanted or not wanted.isdisjoint(node.partitions))
            and (constraint is None or constraint(node.features))
            and node.name not in refused
            and node.has.types.keys() >= set(kinds)
        ]
        if gres:
            return None, None, f"none that is up has gres/{gres[0]}"
        if required:
            held = [name for name in required if name in self.position]
            if len(held) < len(required):
                return None, None, "one that they must have is not up"
            if set(map(self.position.__getitem__, held)) <= set(allowed):
                return None, tuple(held), None
            return None, None, "those that they must have do not fit the rest"
        if not allowed:
            return None, None, "none that is up fits partition, features, GPU type and lists"
        if len(allowed) < parts:
            return None, None, "fewer than they need are up and fit"
        return self._named(allowed), None, None

    def _named(self, allowed: list[int]) -> tuple[str, ...] | None:
        """Nodes by the shortest list of names: none for all, label values, kinds, or ids."""
        if len(allowed) == len(self._nodes):
            return None
        places = set(allowed)
        for grouping in self._groupings:
            names = [name for name, members in grouping.items() if members <= places]
            if sum(len(grouping[name]) for name in names) == len(places) and "" not in names:
                return tuple(names)
        return tuple(self._nodes[k].name for k in allowed)

    def _allows(
        self, eligible: tuple[str, ...] | None, pinned: tuple[str, ...] | None, nodes: Iterable[str]
    ) -> bool:
        if pinned is not None:
            return set(nodes) <= set(pinned)
        if eligible is None:
            return True
        named = set(eligible)
        for node in nodes:
            record = self._nodes[self.position[node]]
            labels = {
                node,
                self.kind(record) or "",
                f"partitions={','.join(record.partitions)}",
                f"features={','.join(record.features)}",
            }
            if named.isdisjoint(labels):
                return False
        return True


def _grouped(
    nodes: Sequence[ClusterNode], name_of: Callable[[ClusterNode], str], key: str
) -> dict[str, frozenset[int]]:
    """The positions of the nodes of each name; nodes without one are under the empty name."""
    found: dict[str, set[int]] = {}
    for k, node in enumerate(nodes):
        name = name_of(node)
        found.setdefault("" if name == f"{key}=" else name, set()).add(k)
    return {name: frozenset(members) for name, members in found.items()}
