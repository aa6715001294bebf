import numpy as np
from random_instances import random_instances

from solver import Instance, check
from solver.problem.classes import group_rows
from solver.problem.problem import Problem


def test_classes_are_those_of_a_comparison_one_by_one():
    for instance in random_instances(120, seed=91):
        classes, exact = Problem(instance).classes, instance.exact
        may = instance.eligible_nodes

        def task_key(j, exact=exact, may=may, instance=instance):
            allowed = may[instance.task_group[j]].tolist()
            return (int(exact.task_compute[j]), *exact.needs[j].tolist(), *allowed)

        def node_key(i, exact=exact, may=may):
            prices = (int(exact.node_on_cost[i]), int(exact.node_overload_price[i]))
            return (int(exact.node_compute[i]), *prices, *exact.capacity[i].tolist(), *may[:, i])

        for number, key in ((classes.task_class, task_key), (classes.node_class, node_key)):
            for a in range(number.size):
                for b in range(a):
                    assert (number[a] == number[b]) == (key(a) == key(b))


def test_members_and_counts_of_classes():
    for instance in random_instances(40, seed=92):
        classes = Problem(instance).classes
        for k in range(classes.num_task_classes):
            members = classes.tasks_of(k)
            assert members.tolist() == np.flatnonzero(classes.task_class == k).tolist()
            assert (members.size, members[0]) == (classes.task_count[k], classes.task_first[k])
        for g in range(classes.num_node_classes):
            assert classes.nodes_of(g).size == classes.node_count[g]


def test_what_fits_alone_is_what_the_checker_lets_pass():
    for instance in random_instances(60, seed=93):
        problem = Problem(instance)
        classes = problem.classes
        for k in range(classes.num_task_classes):
            for g in range(classes.num_node_classes):
                tasks = classes.tasks_of(k)
                alone = np.full(instance.num_tasks, -1)
                most = int(problem.most_per_node[k, g])
                for placed in range(tasks.size + 1):
                    alone[tasks[:placed]] = classes.node_first[g]
                    broken = [v for v in check(instance, alone) if v.rule != "unassigned"]
                    assert (not broken) == (placed <= most)
                assert problem.fits[k, g] == (most > 0)


def test_rows_are_numbered_as_they_first_appear():
    number, first = group_rows([np.array([3, 1, 3, 2, 1]), np.array([[0], [0], [0], [5], [0]])])
    assert number.tolist() == [0, 1, 0, 2, 1]
    assert first.tolist() == [0, 1, 3]
    wide = np.array([2**70, 1, 2**70], dtype=object)
    assert group_rows([wide])[0].tolist() == [0, 1, 0]
    assert group_rows([np.zeros((4, 0))])[0].tolist() == [0, 0, 0, 0]


def test_a_million_alike_are_one_class():
    instance = Instance.from_arrays(node_compute=[7] * 1000, task_compute=np.full(10**6, 3))
    classes = Problem(instance).classes
    assert (classes.num_task_classes, classes.num_node_classes) == (1, 1)
