"""What a pod takes of a node: its effective requests, as the scheduler counts them."""

from __future__ import annotations

from .objects import Record
from .quantities import Amount, Amounts

__all__ = ["effective_requests"]


def effective_requests(pod: Record) -> Amounts:
    """The requests of a pod, by resource.

    Containers run together, init containers one after the other before them, each beside the
    sidecars (init containers that are restarted always) listed before it; sidecars run on. So of
    each resource it is the larger of

        sum of containers + sum of sidecars
        max over init containers of (itself + the sidecars before it)

    and then the overhead of the pod's runtime. Limits stand in where requests are missing,
    container by container. Requests of the pod itself come before those of its containers (of cpu,
    memory and huge pages). While a container is resized in place, the larger of what it has and
    what it is to have counts.

    See https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    and the enhancements 753 (sidecars), 1287 (resizing) and 2837 (requests of pods).

    Parameters
    ----------
    pod : Record
        The whole object.

    Returns
    -------
    dict of str to int or Fraction
        In cores, bytes and devices.

    Raises
    ------
    InstanceError
        If a quantity is wrong; names the place.
    """
    spec = pod.child("spec")
    held = _held(pod.child("status"))
    total: Amounts = {}
    for container in spec.children("containers"):
        _add(total, _requests(container, held))
    sidecars: Amounts = {}
    highest: Amounts = {}
    for container in spec.children("initContainers"):
        needs = _requests(container, {})
        if container.text("restartPolicy") == "Always":
            needs = _requests(container, held)
            _add(total, needs)
            _add(sidecars, needs)
            needs = dict(sidecars)
        else:
            _add(needs, sidecars)
        _raise(highest, needs)
    _raise(total, highest)
    if spec.has("resources"):
        total |= _of_the_pod(spec.child("resources"), total)
    _add(total, spec.quantities("overhead"))
    return total


def _requests(container: Record, held: dict[str, tuple[Amounts, bool]]) -> Amounts:
    resources = container.child("resources")
    needs = resources.quantities("limits") | resources.quantities("requests")
    now, refused = held.get(container.text("name"), ({}, False))
    if refused:
        needs |= now
    else:
        _raise(needs, now)
    return needs


def _held(status: Record) -> dict[str, tuple[Amounts, bool]]:
    """What containers hold now, by name, and whether a new size was refused for good."""
    refused = status.text("resize") == "Infeasible" or any(
        condition.text("type") == "PodResizePending" and condition.text("reason") == "Infeasible"
        for condition in status.children("conditions")
    )
    held = {}
    for key in ("containerStatuses", "initContainerStatuses"):
        for container in status.children(key):
            if container.has("resources"):
                now = container.child("resources").quantities("requests")
                _raise(now, container.quantities("allocatedResources"))
                held[container.text("name")] = now, refused
    return held


def _of_the_pod(resources: Record, containers: Amounts) -> Amounts:
    """Requests of the pod itself; limits stand in for what neither it nor a container requests."""
    limits = resources.quantities("limits")
    implied = {
        name: amount
        for name, amount in limits.items()
        if name not in containers or name.startswith("hugepages-")
    }
    requests = implied | resources.quantities("requests")
    return {name: amount for name, amount in requests.items() if _is_of_pods(name)}


def _is_of_pods(name: str) -> bool:
    return name in ("cpu", "memory") or name.startswith("hugepages-")


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise(total: Amounts, other: Amounts) -> None:
    for name, amount in other.items():
        total[name] = max(_or_zero(total.get(name)), amount)


def _or_zero(amount: Amount | None) -> Amount:
    return 0 if amount is None else amount
