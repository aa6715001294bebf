import contextlib
import doctest
import io
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_prints_what_the_readme_says(tmp_path, monkeypatch):
    code, shown = re.search(
        r"```python\n(.*?)```\n\nprints\n\n```\n(.*?)```", README, re.S
    ).groups()
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue() == shown
    assert (tmp_path / "allocation.csv").read_text().splitlines()[
        0
    ] == "task_id,node_id,variant,part"


def test_the_json_example_is_an_instance(tmp_path):
    from solver import read_instance

    (tmp_path / "x.json").write_text(re.search(r"```json\n(.*?)```", README, re.S).group(1))
    instance = read_instance(tmp_path / "x.json")
    assert (instance.num_nodes, instance.num_tasks, instance.max_load) == (1, 1, 1.5)


def test_the_examples_of_the_page_on_the_model_are_right():
    outcome = doctest.testfile(str(ROOT / "docs" / "model.md"), module_relative=False)
    assert outcome.attempted > 20
    assert outcome.failed == 0


def test_the_page_on_the_model_has_every_field():
    from solver.model.checking.settings import SETTINGS
    from solver.model.fields import fields_of

    page = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    names = [*SETTINGS, *(field.name for owner in ("node", "task") for field in fields_of(owner))]
    assert [name for name in names if f"`{name}`" not in page] == []
