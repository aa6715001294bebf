"""A plan as lines of `kubectl`, to be read and run by a person."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator

from solver.model.plans.plan import Move, Plan, PlanStatus

__all__ = ["kubectl_script"]

_CONTROLLER = re.compile(r"([A-Z][A-Za-z]*)/([^/]+)/([^/]+)")
_BUDGETS = "PodDisruptionBudget"

_HEAD = """#!/bin/sh
# {title}
# Nothing of this has been run.
#
# `kubectl` cannot tell a pod where to go: an evicted pod is made again by its controller, and
# the scheduler chooses the node. So all nodes are cordoned first, and each step opens only the
# nodes that pods are to go to. Pause autoscalers and roll-outs before you begin, and look at
# pods that wait: they take room on the first node that opens. Evictions keep the disruption
# budgets, and are tried again until these allow them.
set -eu
"""

_FUNCTIONS = """\
evict() {  # namespace, pod
  uid=$(kubectl get pod "$2" -n "$1" --ignore-not-found -o 'jsonpath={.metadata.uid}')
  if [ -z "$uid" ]; then echo "$1/$2 is gone"; return; fi
  until printf '{"apiVersion": "policy/v1", "kind": "Eviction",
      "metadata": {"namespace": "%s", "name": "%s"}}' "$1" "$2" |
      kubectl create --raw "/api/v1/namespaces/$1/pods/$2/eviction" -f -; do sleep 5; done
  while [ "$(kubectl get pod "$2" -n "$1" --ignore-not-found \\
      -o 'jsonpath={.metadata.uid}')" = "$uid" ]; do sleep 2; done
}
waiting() { kubectl get pods -A --field-selector=status.phase=Pending -o name | wc -l; }
settle() {  # until no more pods wait than before
  sleep "${SETTLE_SECONDS:-10}"
  while [ "$(waiting)" -gt "$before" ]; do
    kubectl get pods -A --field-selector=status.phase=Pending; sleep 5
  done
}
"""


def kubectl_script(plan: Plan) -> str:
    """The plan as a shell script of `kubectl` lines: cordon, evict, uncordon.

    A wave that may be moved in any order goes node by node, so that each step has one node open
    and what is evicted can only go there; where what leaves a wave has to stop first
    (`during="target"`), the targets of a wave are open together. What a script cannot do stands in
    it as a comment: pods that no controller makes again, starts, and stops. Nodes that end empty
    are left cordoned.

    Parameters
    ----------
    plan : Plan
        Of an instance that `read_kubernetes` made.

    Returns
    -------
    str
        It is never run by nodewise.

    Examples
    --------
    >>> from solver.model.instance import Instance
    >>> instance = Instance.from_arrays(node_compute=[4, 4], task_compute=[3], node_ids=["a", "b"])
    >>> plan = Plan(instance, PlanStatus.ORDERED, ((Move("task-0", 1, None, "a", "b", 0),),))
    >>> [line for line in kubectl_script(plan).splitlines() if line.startswith("evict default")]
    ['evict default task-0  # from a']
    """
    instance = plan.instance
    name = f" of {_plain(instance.name)}" if instance.name else ""
    if plan.status is not PlanStatus.ORDERED:
        reason = _plain(plan.reason or "")
        return f"#!/bin/sh\n# No plan{name}: {plan.status.value}. {reason}".rstrip() + "\n"
    moves, waves = plan.num_moves, len(plan.waves)
    others = len(plan.moves) - moves
    if not plan.moves:
        return f"#!/bin/sh\n# Nothing is to move{name}.\n"
    title = f"{moves:,} {_many('move', moves)}"
    title += f", and {others:,} {_many('pod', others)} to start or stop," if others else ""
    title += f" in {waves:,} {_many('wave', waves)}{name}."
    nodes = instance.node_ids.tolist()
    empty = _emptied(plan)
    states = zip(nodes, instance.node_state, strict=True)
    are_open = [node for node, state in states if state == "open"]
    used = [node for node in are_open if node not in empty]
    lines = [_HEAD.format(title=title), _FUNCTIONS, f"kubectl cordon {_listed(nodes)}"]
    if are_open:
        again = shlex.quote(f"kubectl uncordon {_listed(are_open)}")
        lines.append(f"trap {again} EXIT  # if anything fails")
    lines.append("before=$(waiting)")
    owners = _Owners(plan)
    for number, wave in enumerate(plan.waves, start=1):
        lines += ["", f"# Wave {number:,} of {waves:,}"]
        for step in _steps(wave, plan.during):
            lines += _step(step, owners)
    lines += ["", "trap - EXIT"]
    if used:
        lines.append(f"kubectl uncordon {_listed(used)}")
    if empty:
        lines += ["# These nodes end empty and stay cordoned; stop them, or uncordon them:"]
        lines += [f"# {_plain(_listed(empty))}"]
    return "\n".join(lines) + "\n"


def _many(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _plain(text: str) -> str:
    """The text on one line, as a comment has it."""
    return " ".join(text.split())


def _listed(names: Iterable[str]) -> str:
    return " ".join(map(shlex.quote, names))


def _steps(wave: tuple[Move, ...], during: str) -> Iterator[list[Move]]:
    """The moves that are made together: those to one node, or all."""
    if during != "both":
        yield list(wave)
        return
    targets: dict[str | None, list[Move]] = {}
    for move in wave:
        targets.setdefault(move.target, []).append(move)
    yield from targets.values()


def _step(moves: list[Move], owners: _Owners) -> list[str]:
    """The lines of some moves made together."""
    lines = []
    targets = list(dict.fromkeys(move.target for move in moves if move.target is not None))
    evictions = []
    for move in moves:
        if move.target is None:
            lines.append(_plain(f"# By hand: stop {move.task}, on {move.source}."))
        elif move.source is None:
            lines.append(_plain(f"# {move.task} waits and can start on {move.target}."))
        elif not owners.remakes(move):
            told = f"# By hand: {move.task} from {move.source} to {move.target}; "
            lines.append(_plain(f"{told}no controller makes it again."))
        else:
            evictions.append(owners.eviction(move))
    if not targets:
        return lines
    opening, closing = (f"kubectl {verb} {_listed(targets)}" for verb in ("uncordon", "cordon"))
    if len(targets) > 1:
        return [*lines, *evictions, opening, "settle", closing]
    return [*lines, opening, *evictions, "settle", closing]


class _Owners:
    """The controllers of the tasks, as `read_kubernetes` puts them into the groups."""

    def __init__(self, plan: Plan) -> None:
        instance = plan.instance
        self._set_of = dict(
            zip(instance.task_ids.tolist(), instance.task_groups.tolist(), strict=True)
        )
        self._owners = [_owner(names) for names in instance.group_sets]
        self._known = any(self._owners)

    def remakes(self, move: Move) -> bool:
        """Whether a controller makes the pod again; taken for granted where none is known."""
        return not self._known or self._of(move) is not None

    def eviction(self, move: Move) -> str:
        """The line that evicts a pod, and says what happens then."""
        owner = self._of(move)
        namespace, _, pod = move.task.rpartition("/")
        namespace = namespace or (owner[1] if owner else "default")
        line = f"evict {shlex.quote(namespace)} {shlex.quote(pod)}"
        line += f"  # from {_plain(str(move.source))}"
        if move.bypass:
            line += ", to go on later"
        return line + (", a Job: starts over" if owner and owner[0] == "Job" else "")

    def _of(self, move: Move) -> tuple[str, str, str] | None:
        return self._owners[self._set_of[move.task]]


def _owner(groups: Iterable[str]) -> tuple[str, str, str] | None:
    for group in groups:
        found = _CONTROLLER.fullmatch(group)
        if found is not None and found.group(1) != _BUDGETS:
            return found.group(1), found.group(2), found.group(3)
    return None


def _emptied(plan: Plan) -> list[str]:
    """The nodes that hold something now and nothing at the end, and those that are drained."""
    instance = plan.instance
    held: dict[str, int] = {}
    if instance.current is not None:
        for i in instance.current[instance.current >= 0].tolist():
            name = str(instance.node_ids[i])
            held[name] = held.get(name, 0) + 1
    for move in plan.moves:
        if move.source is not None:
            held[move.source] = held.get(move.source, 0) - 1
        if move.target is not None:
            held[move.target] = held.get(move.target, 0) + 1
    return [
        node
        for node, state in zip(instance.node_ids.tolist(), instance.node_state, strict=True)
        if held.get(node) == 0 and state != "cordoned"
    ]
