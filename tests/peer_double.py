"""A peer that misbehaves in the way that its method is named after."""

from __future__ import annotations

import os
import time

from benchmarks.peers.protocol import Answer, Job, Unsupported, serve

HONEST_COST = 32  # of the first two tasks apart; see `two_nodes` in test_harness


def solve(job: Job) -> Answer:
    tasks = [task["id"] for task in job.instance()["tasks"]]
    nodes = [node["id"] for node in job.instance()["nodes"]]
    apart = {task: nodes[j % len(nodes)] for j, task in enumerate(tasks)}
    together = dict.fromkeys(tasks, nodes[0])
    honest = Answer("feasible", "done", apart, cost=HONEST_COST, bound=None)
    if job.method == "crashes":
        os.abort()
    if job.method == "raises":
        raise RuntimeError("out of luck")
    if job.method == "never-ends":
        time.sleep(600)
    if job.method == "eats-memory":
        block = bytearray(2**30)
        block[:: 2**12] = b"x" * len(block[:: 2**12])
        time.sleep(600)
    if job.method == "gives-up":
        raise Unsupported("no nodes allowed here")
    answers = {
        "honest": honest,
        "breaks-storage": Answer("feasible", "done", together, cost=1),
        "forgets-a-task": Answer("feasible", "done", {tasks[0]: nodes[0]}, cost=1),
        "wrong-cost": Answer("feasible", "done", apart, cost=HONEST_COST - 1),
        "bound-above-own-cost": Answer("feasible", "done", apart, HONEST_COST, HONEST_COST + 1),
        "optimal-without-proof": Answer("optimal", "done", apart, HONEST_COST, None),
        "no-allocation": Answer("optimal", "done", None, 1, 1),
        "says-infeasible": Answer("infeasible", "done"),
        "not-a-number": Answer("feasible", "done", apart, float("nan")),
        "silent": Answer(),
    }
    return answers[job.method]


if __name__ == "__main__":
    serve(solve)
