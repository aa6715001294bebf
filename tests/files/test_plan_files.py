"""plan.csv: what is written reads back, and errors name the line and the column."""

import io

import numpy as np
import pytest
from nightly import cases

from solver import (
    Allocation,
    Instance,
    Move,
    Node,
    Part,
    Plan,
    PlanStatus,
    Task,
    Variant,
    check_plan,
)
from solver.errors import AllocationError
from solver.files.plan import dump_plan, read_plan, write_plan

INSTANCE = Instance(
    [Node("n,0", 9), Node("=n1", 9), Node("n2", 9)],
    [
        Task("a", 1, storage=0.25),
        Task(
            "p", variants=[Variant("pair", 1, parts=2), Variant("li\nst", parts=[Part(1, 10**30)])]
        ),
        Task("q", variants=[Variant("two", 1, parts=2)]),
    ],
)
PLAN = Plan(
    INSTANCE,
    PlanStatus.ORDERED,
    (
        (Move("a", 1, None, "n,0", "=n1", 0.25, True), Move("p", 2, "pair", None, "n2", 0)),
        (Move("p", 1, "li\nst", "n2", None, 10**30), Move("q", 2, "two", "n2", "n,0", 0)),
    ),
)
TEXT = (
    "wave,task_id,part,variant,from,to,storage,bypass\n"
    '1,a,1,,"n,0",=n1,0.25,1\n'
    "1,p,2,pair,,n2,0,0\n"
    '2,p,1,"li\nst",n2,,1000000000000000000000000000000,0\n'
    '2,q,2,two,n2,"n,0",0,0\n'
)


def test_a_plan_reads_back(tmp_path):
    path = tmp_path / "plan.csv"
    write_plan(PLAN, path)
    assert path.read_text() == TEXT
    assert read_plan(INSTANCE, path) == PLAN
    assert read_plan(INSTANCE, path, during="target").during == "target"
    stream = io.StringIO()
    dump_plan(Plan(INSTANCE, PlanStatus.NONE), stream)
    assert stream.getvalue() == TEXT.splitlines(keepends=True)[0]


def test_columns_that_say_nothing_may_be_left_out(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text("to,wave,from,task_id,remark\n=n1,1,n2,a,urgent\n")
    assert read_plan(INSTANCE, path).moves == (Move("a", 1, None, "n2", "=n1", 0.25),)


def test_a_plan_as_dicts():
    assert PLAN.to_dicts()[1] == {
        "wave": 1, "task_id": "p", "part": 2, "variant": "pair", "from": None, "to": "n2",
        "storage": 0, "bypass": False,
    }  # fmt: skip
    assert (PLAN.num_moves, PLAN.num_bypasses, len(PLAN.moves)) == (2, 1, 4)


HEAD = "wave,task_id,part,variant,from,to,storage,bypass\n"
BAD = {
    "wave": ("x,a,1,,n2,=n1,,\n", "line 2, column wave: 'x' is not a whole number"),
    "wave 0": ("0,a,1,,n2,=n1,,\n", "line 2, column wave: 0 is out of turn; the wave here"),
    "gap": ("1,a,1,,n2,=n1,,\n3,a,1,,n2,=n1,,\n", "line 3, column wave: 3 is out of turn"),
    "back": (
        "1,a,1,,n2,=n1,,\n2,a,1,,=n1,n2,,\n1,a,1,,n2,=n1,,\n",
        "line 4, column wave: 1 is out of turn; the wave here is 2 or 3",
    ),
    "task": ("1,aa,1,,n2,=n1,,\n", "line 2, column task_id: task 'aa' is not in the instance"),
    "part": ("1,q,3,,n2,=n1,,\n", "column part: task 'q' has no part '3'; number from 1 to 2"),
    "no part": ("1,q,,,n2,=n1,,\n", "column part: task 'q' has no part ''; number from 1 to"),
    "variant": ("1,p,1,pear,n2,=n1,,\n", "column variant: task 'p' has no variant 'pear'; did"),
    "no variant": ("1,p,1,,n2,=n1,,\n", "task 'p' has several variants; name one of: pair"),
    "variant of none": ("1,a,1,x,n2,=n1,,\n", "task 'a' has no variants; leave the cell empty"),
    "from": ("1,a,1,,n3,=n1,,\n", "column from: node 'n3' is not in the instance"),
    "to": ("1,a,1,,n2,n9,,\n", "line 2, column to: node 'n9' is not in the instance"),
    "neither": ("1,a,1,,,,,\n", "line 2, column to: from and to are empty; name a node in one"),
    "storage": ("1,a,1,,n2,=n1,-1,\n", "line 2, column storage: '-1' is not a finite number"),
    "bypass": ("1,a,1,,n2,=n1,,yes\n", "line 2, column bypass: 'yes' is neither 1 nor 0 nor"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named_by_line_and_column(tmp_path, case):
    text, message = BAD[case]
    path = tmp_path / "plan.csv"
    path.write_text(HEAD + text)
    with pytest.raises(AllocationError) as caught:
        read_plan(INSTANCE, path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_column_is_named(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text("task_id,from,to\n")
    with pytest.raises(AllocationError, match="line 1: column wave is missing"):
        read_plan(INSTANCE, path)


def test_during_is_checked(tmp_path):
    with pytest.raises(AllocationError, match="during is 'x'; it must be one of: both, target"):
        read_plan(INSTANCE, tmp_path / "plan.csv", during="x")


def test_mutated_files_are_read_or_refused_clearly(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "plan.csv"
    bits = [b"", b",", b"\n", b'"', b"0", b"1", b"-", b"x", b"\xff", b"p", b"nan", b"1e999", b"\0"]
    read, problems = 0, []
    for _ in range(cases(600, 20_000)):
        data = TEXT.encode()
        for _ in range(int(rng.integers(1, 4))):
            at, more = (int(x) for x in rng.integers(0, (len(data), 4)))
            data = data[:at] + bits[rng.integers(len(bits))] + data[at + more :]
        path.write_bytes(data)
        try:
            plan = read_plan(INSTANCE, path)
        except AllocationError as error:
            problems.append(str(error))
        else:
            read += 1
            check_plan(INSTANCE, Allocation(INSTANCE, [-1] * INSTANCE.rows.num_rows), plan)
    assert read > 10
    assert all(str(path) in problem for problem in problems)
