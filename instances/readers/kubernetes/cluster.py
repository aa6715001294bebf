"""Nodes and pods as records: what the reader needs of the objects, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from solver.errors import InstanceError

from ..notes import Notes
from .objects import Record, read_objects
from .quantities import Amounts, rounded_up
from .requests import effective_requests
from .selectors import NodeTerms, Taint, Tolerates, node_terms, taints_of, tolerates

__all__ = [
    "INSTANCE_TYPES",
    "SHARE",
    "Cluster",
    "ClusterNode",
    "ClusterPod",
    "host_ports",
    "read_cluster",
]

SHARE, COUNT, CARD = (f"alibabacloud.com/gpu-{what}" for what in ("milli", "count", "card-model"))
INSTANCE_TYPES = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_KINDS = ("nvidia.com/gpu.product", CARD, *INSTANCE_TYPES)
_CORDON = "node.kubernetes.io/unschedulable"
_MIRROR = "kubernetes.io/config.mirror"
_STAY_ON = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_DO_NOT_DISRUPT = "karpenter.sh/do-not-disrupt"
_PINNING = {
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    _DO_NOT_DISRUPT: "true",
    "karpenter.sh/do-not-evict": "true",
}
Port = tuple[str, int]
_ENDED = ("Succeeded", "Failed")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """A node: `free` is what its DaemonSet and mirror pods leave of what is allocatable."""

    name: str
    labels: dict[str, str]
    taints: tuple[Taint, ...]
    cordoned: bool
    stays_on: bool
    free: Amounts

    @property
    def kind(self) -> str | None:
        """The GPU model, or else the instance type."""
        return next((self.labels[key] for key in _KINDS if self.labels.get(key)), None)


@dataclass(frozen=True, slots=True)
class ClusterPod:
    """A pod that is a task."""

    name: str
    namespace: str
    node: str | None
    labels: dict[str, str]
    requests: Amounts
    shared: int | None
    cards: tuple[str, ...]
    terms: NodeTerms
    tolerates: Tolerates
    tolerations: str
    controller: str | None
    held: bool
    healthy: bool
    spec: Record


@dataclass(slots=True)
class Cluster:
    """The objects of the files.

    Attributes
    ----------
    nodes, pods : list
        The pods that are tasks.
    fixed : dict of str to list of (labels, host ports)
        The DaemonSet and mirror pods by namespace.
    budgets : list of Record
    namespaces : dict of str to dict
        The labels of the namespaces that were given.
    one_namespace : bool
        Whether all pods of the files are in one namespace.
    pods_from : Path
        The first file with a pod.
    """

    nodes: list[ClusterNode] = field(default_factory=list)
    pods: list[ClusterPod] = field(default_factory=list)
    fixed: dict[str, list[tuple[dict[str, str], set[Port]]]] = field(default_factory=dict)
    budgets: list[Record] = field(default_factory=list)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    one_namespace: bool = True
    pods_from: Path | None = None

    def id_of(self, pod: ClusterPod) -> str:
        """The id of its task: with the namespace, unless that is clear."""
        clear = self.one_namespace or pod.namespace == "default"
        return pod.name if clear else f"{pod.namespace}/{pod.name}"


def read_cluster(paths: Iterable[Path], notes: Notes) -> Cluster:
    """Read the objects of some files.

    Raises
    ------
    InstanceError
        Naming the file, the object and the place.
    """
    cluster = Cluster()
    found: dict[str, list[Record]] = {"Node": [], "Pod": [], "PodDisruptionBudget": []}
    for path in paths:
        for kind, record in read_objects(Path(path)):
            metadata = record.child("metadata")
            name = metadata.text("name")
            if kind == "Namespace":
                cluster.namespaces[name] = metadata.texts("labels")
            elif kind not in found:
                notes.add("left out", f"objects of the kind {kind}", f"{path}: {name}", "objects")
            else:
                found[kind].append(_named(record, kind, path))
                if kind == "Pod" and cluster.pods_from is None:
                    cluster.pods_from = Path(path)
    _require_different(found)
    cluster.budgets = found["PodDisruptionBudget"]
    cluster.one_namespace = len({_namespace(record) for record in found["Pod"]}) < 2
    taken = _pods(found["Pod"], {_name(record) for record in found["Node"]}, cluster, notes)
    cluster.nodes = [_node(record, taken.get(_name(record), []), notes) for record in found["Node"]]
    return cluster


def _name(record: Record) -> str:
    return record.child("metadata").text("name")


def _namespace(record: Record) -> str:
    return record.child("metadata").text("namespace") or "default"


def _named(record: Record, kind: str, path: Path) -> Record:
    """The record, which errors call by its kind and name from here on."""
    metadata = record.child("metadata")
    for key in ("name", "namespace"):
        value = metadata.text(key)
        if (key == "name" or value) and not _NAME.fullmatch(value):
            metadata.fail(
                key, f"is {value[:60]!r}; it must be letters, digits, '-', '_' and '.' ({kind})"
            )
    name = _name(record) if kind == "Node" else f"{_namespace(record)}/{_name(record)}"
    return Record(record.data, f"{path}: {kind} {name}")


def _require_different(found: dict[str, list[Record]]) -> None:
    for kind, records in found.items():
        seen: set[tuple[str, str]] = set()
        for record in records:
            key = ("" if kind == "Node" else _namespace(record), _name(record))
            if key in seen:
                raise InstanceError(f"{record.head} stands twice; give each object once")
            seen.add(key)


def _node(record: Record, fixed: list[Amounts], notes: Notes) -> ClusterNode:
    name, spec, status = _name(record), record.child("spec"), record.child("status")
    if not status.has("allocatable"):
        if not status.has("capacity"):
            status.fail("allocatable", "is missing; give nodes as `kubectl get` prints them")
        notes.add("read as", "capacity, as nothing is said to be allocatable", name, "nodes")
    free = status.quantities("allocatable" if status.has("allocatable") else "capacity")
    for needs in fixed:
        for resource, amount in {**needs, "pods": 1}.items():
            if resource not in free:
                continue
            if free[resource] < amount:
                what = f"without {resource}, which DaemonSet and mirror pods take"
                notes.add("read as", what, name, "nodes")
            free[resource] = max(0, free[resource] - amount)
    labels, taints = record.child("metadata").texts("labels"), taints_of(spec)
    marks = record.child("metadata").texts("annotations")
    ready = [c.text("status") for c in status.children("conditions") if c.text("type") == "Ready"]
    if ready and ready[0] != "True":
        notes.add("read as", "as good as others, though not Ready; drain them", name, "nodes")
    if any(taint.effect == "PreferNoSchedule" for taint in taints):
        notes.add("not modelled", "taints PreferNoSchedule", name, "nodes")
    stays_on = (
        any(key in labels for key in _STAY_ON)
        or marks.get("cluster-autoscaler.kubernetes.io/scale-down-disabled") == "true"
        or marks.get(_DO_NOT_DISRUPT) == "true"
    )
    cordoned = spec.flag("unschedulable") or any(taint.key == _CORDON for taint in taints)
    hard = tuple(
        taint for taint in taints if taint.effect != "PreferNoSchedule" and taint.key != _CORDON
    )
    return ClusterNode(name, labels, hard, cordoned, stays_on, free)


def _pods(
    records: list[Record], nodes: set[str], cluster: Cluster, notes: Notes
) -> dict[str, list[Amounts]]:
    """Put the tasks into the cluster; what the other pods take of each node."""
    taken: dict[str, list[Amounts]] = {}
    for record in records:
        metadata, spec, status = (record.child(key) for key in ("metadata", "spec", "status"))
        shown = record.head.rpartition(" ")[2]
        if status.text("phase") in _ENDED:
            notes.add("left out", "pods that have ended (Succeeded, Failed)", shown)
            continue
        if metadata.has("deletionTimestamp"):
            notes.add("left out", "pods that are terminating; they take room until then", shown)
            continue
        node, needs = spec.text("nodeName") or None, effective_requests(record)
        kind, controller = _controller(record)
        if kind in ("DaemonSet", "Node") or _MIRROR in metadata.texts("annotations"):
            if node is None:
                notes.add("left out", "DaemonSet and mirror pods without a node", shown)
                continue
            taken.setdefault(node, []).append(needs)
            labels = metadata.texts("labels")
            cluster.fixed.setdefault(_namespace(record), []).append((labels, host_ports(spec)))
            notes.add("read as", "room taken off their nodes: DaemonSet and mirror pods", shown)
            continue
        if node is None and spec.children("schedulingGates"):
            notes.add("left out", "pods behind a scheduling gate", shown)
            continue
        if node is not None and node not in nodes:
            notes.add("read as", "running nowhere: their node is not in the files", shown)
            node = None
        if node is not None and controller is None:
            notes.add("read as", "movable, though no controller makes them again", shown)
        cluster.pods.append(_pod(record, node, needs, controller))
        _note_what_is_not_modelled(shown, record, notes)
    return taken


def _controller(record: Record) -> tuple[str | None, str | None]:
    """The kind of a pod's controller, and what the group of its pods is called."""
    for owner in record.child("metadata").children("ownerReferences"):
        if owner.flag("controller") or owner.text("kind") in ("DaemonSet", "Node"):
            kind = owner.text("kind")
            return kind, f"{kind}/{_namespace(record)}/{owner.text('name')}"
    return None, None


def _pod(record: Record, node: str | None, needs: Amounts, controller: str | None) -> ClusterPod:
    metadata, spec = record.child("metadata"), record.child("spec")
    marks = metadata.texts("annotations")
    ready = [
        condition.text("status")
        for condition in record.child("status").children("conditions")
        if condition.text("type") == "Ready"
    ]
    return ClusterPod(
        name=_name(record),
        namespace=_namespace(record),
        node=node,
        labels=metadata.texts("labels"),
        requests=needs,
        shared=_share(metadata.child("annotations"), marks),
        cards=tuple(card.strip() for card in marks.get(CARD, "").split("|") if card.strip()),
        terms=node_terms(spec),
        tolerates=tolerates(spec),
        tolerations=repr(spec.data.get("tolerations")),
        controller=controller,
        held=node is not None and any(marks.get(key) == word for key, word in _PINNING.items()),
        healthy=node is not None and (not ready or ready[0] == "True"),
        spec=spec,
    )


def _share(annotations: Record, marks: dict[str, str]) -> int | None:
    """The thousandths of GPUs that annotations ask for, None without them."""
    if SHARE not in marks and COUNT not in marks:
        return None
    count = annotations.quantity(COUNT) if COUNT in marks else 1
    share = annotations.quantity(SHARE) if SHARE in marks else 1000
    return rounded_up(Fraction(count) * share)


def host_ports(spec: Record) -> set[Port]:
    """The protocols and ports of its node that a pod holds."""
    key = "containerPort" if spec.flag("hostNetwork") else "hostPort"
    return {
        (port.text("protocol") or "TCP", number)
        for container in spec.children("containers")
        for port in container.children("ports")
        if (number := port.whole(key, 0))
    }


_VOLUMES = {
    "persistentVolumeClaim": "where persistent volumes can be attached",
    "emptyDir": "what moves lose: emptyDir volumes",
    "hostPath": "what moves leave behind: hostPath volumes",
}


def _note_what_is_not_modelled(shown: str, record: Record, notes: Notes) -> None:
    spec = record.child("spec")
    affinity = spec.child("affinity")
    for kind in ("nodeAffinity", "podAffinity", "podAntiAffinity"):
        if affinity.child(kind).has("preferredDuringSchedulingIgnoredDuringExecution"):
            notes.add("not modelled", f"preferred {kind}", shown)
    for volume in spec.children("volumes"):
        for key, what in _VOLUMES.items():
            if volume.has(key):
                notes.add("not modelled", what, shown)
    if spec.children("resourceClaims"):
        notes.add("not modelled", "resource claims (dynamic resource allocation)", shown)
    if spec.text("schedulerName") not in ("", "default-scheduler"):
        notes.add("not modelled", f"the scheduler {spec.text('schedulerName')!r}", shown)
    priority = spec.data.get("priority")
    if isinstance(priority, int) and priority:
        notes.add("not modelled", "priorities and preemption", shown)
