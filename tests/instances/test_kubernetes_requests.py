"""Quantities and effective requests, as Kubernetes defines them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from instances.readers.kubernetes.objects import Record
from instances.readers.kubernetes.quantities import parse_quantity, rounded_up
from instances.readers.kubernetes.requests import effective_requests
from solver.errors import InstanceError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("2", 2),
        ("500m", Fraction(1, 2)),
        ("1500m", Fraction(3, 2)),
        ("2000m", 2),
        ("0.1", Fraction(1, 10)),
        ("0.5", Fraction(1, 2)),
        (".5", Fraction(1, 2)),
        ("1.", 1),
        ("+3", 3),
        ("-0", 0),
        ("007", 7),
        ("1k", 1000),
        ("5M", 5 * 10**6),
        ("2G", 2 * 10**9),
        ("3T", 3 * 10**12),
        ("1P", 10**15),
        ("1E", 10**18),
        ("64Ki", 64 * 2**10),
        ("262144Mi", 262144 * 2**20),
        ("1.5Gi", 3 * 2**29),
        ("2Ti", 2**41),
        ("1Pi", 2**50),
        ("7Ei", 7 * 2**60),
        ("1e3", 1000),
        ("1E3", 1000),
        ("12e-1", Fraction(6, 5)),
        ("1.25e+2", 125),
        ("100n", Fraction(1, 10**7)),
        ("250u", Fraction(1, 4000)),
        ("0.1Ki", Fraction(1024, 10)),
        ("123456789123456789123", 123456789123456789123),
        (3, 3),
        (0.1, Fraction(1, 10)),
    ],
)
def test_a_quantity_is_read_exactly(text, expected):
    found = parse_quantity(text)
    assert found == expected
    assert isinstance(found, int) == (Fraction(expected).denominator == 1)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "1 Gi", "1gi", "1K", "Mi", "1mi", "1e", "1e3Mi", "--1", "1,5", "nan", "inf"),
        *("0x10", "1.2.3", "\u0661", "1_000", "9" * 100, "1e99", "e3", ".", "1m\n"),
        *(True, None, [], {}, float("inf")),
    ],
)
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match=r"is no quantity|too large or too small"):
        parse_quantity(text)


@pytest.mark.parametrize("text", ["-1", "-500m", "-0.1Gi", -3])
def test_a_negative_quantity_is_refused(text):
    with pytest.raises(ValueError, match="is negative"):
        parse_quantity(text)


def test_amounts_are_rounded_up_as_the_scheduler_does():
    assert rounded_up(parse_quantity("100n"), 1000) == 1
    assert rounded_up(parse_quantity("1.0001"), 1000) == 1001
    assert rounded_up(parse_quantity("100m")) == 1
    assert rounded_up(parse_quantity("3")) == 3


def container(requests=None, limits=None, sidecar=False, name="c"):
    made = {"name": name, "resources": {"requests": requests, "limits": limits}}
    return {**made, "restartPolicy": "Always"} if sidecar else made


def pod(*containers, init=(), status=None, **spec):
    spec = {"containers": list(containers), "initContainers": list(init), **spec}
    return Record({"spec": spec, "status": status}, "pods.json: Pod default/p")


CPU = [{"cpu": f"{n}"} for n in range(20)]

CASES = {
    "one container": (
        pod(container({"cpu": "500m", "memory": "1Gi"})),
        {"cpu": 0.5, "memory": 2**30},
    ),
    "containers are summed": (pod(container(CPU[1]), container(CPU[2])), {"cpu": 3}),
    "nothing is asked": (pod(container()), {}),
    "no containers": (pod(), {}),
    "a larger init container": (pod(container(CPU[2]), init=[container(CPU[5])]), {"cpu": 5}),
    "a smaller one": (pod(container(CPU[2]), init=[container(CPU[1])]), {"cpu": 2}),
    "init containers run in turn": (
        pod(container(CPU[2]), init=[container(CPU[3]), container(CPU[4])]),
        {"cpu": 4},
    ),
    "each resource by itself": (
        pod(container({"cpu": "2", "memory": "1"}), init=[container({"cpu": "1", "memory": "5"})]),
        {"cpu": 2, "memory": 5},
    ),
    "a sidecar runs on": (
        pod(container(CPU[2]), init=[container(CPU[1], sidecar=True)]),
        {"cpu": 3},
    ),
    "init containers beside the sidecars before them": (
        pod(container(CPU[1]), init=[container(CPU[2], sidecar=True), container(CPU[5])]),
        {"cpu": 7},
    ),
    "but not those after them": (
        pod(container(CPU[1]), init=[container(CPU[5]), container(CPU[2], sidecar=True)]),
        {"cpu": 5},
    ),
    "several sidecars between init containers": (
        pod(
            container(CPU[1]),
            init=[
                container(CPU[1], sidecar=True),
                container(CPU[4]),
                container(CPU[2], sidecar=True),
                container(CPU[3]),
            ],
        ),
        {"cpu": 6},
    ),
    "sidecars and containers are more": (
        pod(
            container(CPU[6]),
            init=[container(CPU[1], sidecar=True), container(CPU[2], sidecar=True)],
        ),
        {"cpu": 9},
    ),
    "overhead": (pod(container(CPU[2]), overhead={"cpu": "250m"}), {"cpu": 2.25}),
    "overhead upon init containers": (
        pod(container(CPU[2]), init=[container(CPU[5])], overhead={"cpu": "1", "memory": "7"}),
        {"cpu": 6, "memory": 7},
    ),
    "limits stand in": (pod(container(None, {"nvidia.com/gpu": "2"})), {"nvidia.com/gpu": 2}),
    "for what is missing only": (
        pod(container({"cpu": "1"}, {"cpu": "4", "memory": "8"})),
        {"cpu": 1, "memory": 8},
    ),
    "container by container": (
        pod(container({"cpu": "1"}, {"cpu": "4"}), container(None, {"cpu": "2"})),
        {"cpu": 3},
    ),
    "limits of init containers and sidecars too": (
        pod(
            container(CPU[1]),
            init=[container(None, CPU[2], sidecar=True), container(None, CPU[4])],
        ),
        {"cpu": 6},
    ),
    "requests of the pod come first": (
        pod(container(CPU[2]), container(CPU[2]), resources={"requests": {"cpu": "3"}}),
        {"cpu": 3},
    ),
    "of cpu, memory and huge pages only": (
        pod(
            container({"nvidia.com/gpu": "1"}),
            resources={"requests": {"hugepages-2Mi": "4Mi", "nvidia.com/gpu": "5"}},
        ),
        {"nvidia.com/gpu": 1, "hugepages-2Mi": 4 * 2**20},
    ),
    "limits of the pod stand in for what nobody requests": (
        pod(container(CPU[2]), resources={"limits": {"cpu": "8", "memory": "9"}}),
        {"cpu": 2, "memory": 9},
    ),
    "overhead upon requests of the pod": (
        pod(container(), resources={"requests": {"cpu": "3"}}, overhead={"cpu": "1"}),
        {"cpu": 4},
    ),
    "a container that is growing": (
        pod(
            container(CPU[4]),
            status={"containerStatuses": [{"name": "c", "resources": {"requests": {"cpu": "2"}}}]},
        ),
        {"cpu": 4},
    ),
    "a container that is shrinking": (
        pod(
            container(CPU[2]),
            status={"containerStatuses": [{"name": "c", "resources": {"requests": {"cpu": "4"}}}]},
        ),
        {"cpu": 4},
    ),
    "a new size that was refused": (
        pod(
            container(CPU[9]),
            status={
                "containerStatuses": [{"name": "c", "resources": {"requests": {"cpu": "4"}}}],
                "conditions": [{"type": "PodResizePending", "reason": "Infeasible"}],
            },
        ),
        {"cpu": 4},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_effective_requests(case):
    record, expected = CASES[case]
    assert effective_requests(record) == {name: Fraction(x) for name, x in expected.items()}


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({"containers": {}}, r"spec\.containers is dict; it must be a list"),
        ({"containers": ["x"]}, r"spec\.containers\[0\] is 'x'; it must be an object"),
        (
            {"containers": [container({"cpu": "1x"})]},
            r"spec\.containers\[0\]\.resources\.requests\.cpu: '1x' is no quantity",
        ),
        ({"containers": [], "overhead": {"cpu": "-1"}}, r"spec\.overhead\.cpu: '-1' is negative"),
    ],
)
def test_errors_name_the_place(spec, place):
    with pytest.raises(InstanceError, match=rf"pods\.json: Pod default/p: {place}"):
        effective_requests(Record({"spec": spec}, "pods.json: Pod default/p"))
