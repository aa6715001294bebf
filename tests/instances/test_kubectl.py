"""A plan as a script of `kubectl` lines, run against a stand-in for a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from instances.kubectl import kubectl_script
from solver import Instance, Node, Task
from solver.model.plans.plan import Move, Plan, PlanStatus

# Keeps what the cluster holds in a file; an evicted pod is made again on the first open node.
KUBECTL = """\
import json, os, re, sys
path = os.environ["CLUSTER"]
state = json.load(open(path))
verb, *rest = sys.argv[1:]
state["calls"].append(sys.argv[1:])
if verb in ("cordon", "uncordon"):
    for name in rest:
        state["open"][name] = verb == "uncordon"
elif verb == "create":
    asked = json.load(sys.stdin)["metadata"]
    pod = state["pods"].pop(f"{asked['namespace']}/{asked['name']}")
    pod["uid"] += "+"
    pod["node"] = None
    state["pods"][f"{asked['namespace']}/{asked['name']}+"] = pod
elif verb == "get" and rest[0] == "pod":
    found = state["pods"].get(f"{rest[rest.index('-n') + 1]}/{rest[1]}")
    print(found["uid"] if found else "", end="")
elif verb == "get":
    print("\\n".join(name for name, pod in state["pods"].items() if pod["node"] is None))
for pod in state["pods"].values():
    where = [name for name, is_open in state["open"].items() if is_open]
    if pod["node"] is None and where and "waits" not in pod["uid"]:
        pod["node"] = where[0]
json.dump(state, open(path, "w"))
"""


def plan_of(*waves, during="both", tasks=None):
    tasks = tasks or [
        Task("team/web-0", 1, groups=["x", "ReplicaSet/team/web"]),
        Task("db-0", 1, groups=["StatefulSet/default/db"]),
        Task("team/job-0", 1, groups=["Job/team/job"]),
        Task("bare", 1),
        Task("new", 1),
    ]
    nodes = [Node("a", 9), Node("b", 9), Node("c", 9), Node("d", 9, state="cordoned")]
    nodes.append(Node("e", 9, state="drained"))
    current = {"team/web-0": "a", "db-0": "a", "team/job-0": "e", "bare": "a"}
    current = {task.id: current[task.id] for task in tasks if task.id in current}
    instance = Instance(nodes, tasks, current=current, name="a cluster\n")
    return Plan(instance, PlanStatus.ORDERED, waves, during=during)


def move(task, source, target, bypass=False):
    return Move(task, 1, None, source, target, 0, bypass)


WAVES = (
    (move("team/web-0", "a", "b"), move("db-0", "a", "c"), move("bare", "a", "b")),
    (move("team/job-0", "e", "c"), move("new", None, "b")),
)


def lines_of(script):
    return [line for line in script.splitlines() if line]


def test_the_lines_of_a_plan():
    script = kubectl_script(plan_of(*WAVES))
    lines = lines_of(script)
    assert lines[1] == "# 4 moves, and 1 pod to start or stop, in 2 waves of a cluster."
    first = lines.index("kubectl cordon a b c d e")
    assert lines[first + 1 :] == [
        "trap 'kubectl uncordon a b c' EXIT  # if anything fails",
        "before=$(waiting)",
        "# Wave 1 of 2",
        "# By hand: bare from a to b; no controller makes it again.",
        "kubectl uncordon b",
        "evict team web-0  # from a",
        "settle",
        "kubectl cordon b",
        "kubectl uncordon c",
        "evict default db-0  # from a",
        "settle",
        "kubectl cordon c",
        "# Wave 2 of 2",
        "kubectl uncordon c",
        "evict team job-0  # from e, a Job: starts over",
        "settle",
        "kubectl cordon c",
        "# new waits and can start on b.",
        "kubectl uncordon b",
        "settle",
        "kubectl cordon b",
        "trap - EXIT",
        "kubectl uncordon b c",
        "# These nodes end empty and stay cordoned; stop them, or uncordon them:",
        "# a e",
    ]


def test_what_stops_first_is_evicted_before_the_targets_open():
    lines = lines_of(kubectl_script(plan_of(WAVES[0][:2], during="target")))
    first = lines.index("# Wave 1 of 1")
    assert lines[first + 1 : first + 6] == [
        "evict team web-0  # from a",
        "evict default db-0  # from a",
        "kubectl uncordon b c",
        "settle",
        "kubectl cordon b c",
    ]


def test_bypasses_and_stops():
    waves = ((move("db-0", "a", "b", bypass=True),), (move("team/web-0", "a", None),))
    lines = lines_of(kubectl_script(plan_of(*waves)))
    assert "evict default db-0  # from a, to go on later" in lines
    assert lines[lines.index("# Wave 2 of 2") + 1] == "# By hand: stop team/web-0, on a."


def test_without_known_controllers_they_are_taken_for_granted():
    plan = plan_of((move("bare", "a", "b"),), tasks=[Task("bare", 1)])
    assert "evict default bare  # from a" in lines_of(kubectl_script(plan))


def test_no_plan_and_nothing_to_move():
    instance = plan_of().instance
    none = Plan(instance, PlanStatus.NONE, reason="two of 6 on nodes\nof 10")
    expected = "#!/bin/sh\n# No plan of a cluster: none. two of 6 on nodes of 10\n"
    assert kubectl_script(none) == expected
    assert kubectl_script(plan_of()) == "#!/bin/sh\n# Nothing is to move of a cluster.\n"


def test_names_cannot_leave_their_place(tmp_path):
    name = "x'; touch ran\ntouch ran #$(touch ran)"
    nodes, task = [Node(name, 1), Node("b", 1)], Task(f"{name}/{name}", 1)
    instance = Instance(nodes, [task], current={task.id: "b"}, name=name)
    moves = (move(task.id, "b", name), move(task.id, name, None), move(task.id, None, name))
    script = kubectl_script(Plan(instance, PlanStatus.ORDERED, (moves,)))
    (tmp_path / "kubectl").write_text("#!/bin/sh\n")
    (tmp_path / "kubectl").chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SETTLE_SECONDS": "0"}
    subprocess.run(["sh"], input=script, text=True, env=path, cwd=tmp_path, timeout=60, check=True)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["kubectl"]


@pytest.mark.parametrize("during", ["both", "target"])
def test_the_script_run(tmp_path: Path, during: str):
    state = {
        "open": {"a": True, "b": True, "c": True, "d": False, "e": True},
        "pods": {
            "team/web-0": {"uid": "w", "node": "a"},
            "default/db-0": {"uid": "d", "node": "a"},
            "team/job-0": {"uid": "j", "node": "e"},
            "default/bare": {"uid": "b", "node": "a"},
            "default/stuck": {"uid": "waits", "node": None},
        },
        "calls": [],
    }
    (tmp_path / "cluster.json").write_text(json.dumps(state))
    (tmp_path / "kubectl.py").write_text(KUBECTL)
    command = tmp_path / "kubectl"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{tmp_path}/kubectl.py" "$@"\n')
    command.chmod(0o755)
    script = kubectl_script(plan_of(*WAVES, during=during))
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CLUSTER": str(tmp_path / "cluster.json"),
        "SETTLE_SECONDS": "0",
    }
    subprocess.run(["sh"], input=script, text=True, env=environment, timeout=60, check=True)
    found = json.loads((tmp_path / "cluster.json").read_text())
    assert found["open"] == {"a": False, "b": True, "c": True, "d": False, "e": False}
    places = {name: pod["node"] for name, pod in found["pods"].items()}
    assert places.pop("default/bare") == "a"
    assert places.pop("default/stuck") is None
    if during == "both":
        assert places == {"team/web-0+": "b", "default/db-0+": "c", "team/job-0+": "c"}
    else:
        assert set(places.values()) <= {"b", "c"}
