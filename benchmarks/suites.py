"""Suites of instances, as data: `suites/NAME.json` lists what each is made of.

    {"schema": "nodewise-suite/1", "about": "...", "instances": [
        {"family": "uniform", "parameters": {"nodes": 10}, "seed": 3,
         "changes": {"power_off": true}, "hash": "..."}]}

`family` is a generator of `instances`, "named" for an instance of the catalog, or "openb" for a
list of pods of the published trace, which is read from a folder of the user's. `changes` are made
afterwards: `power_off`, `max_load`, and `storage_factor`, which multiplies the storage of every
node, rounded down. The hash is that of the content; an instance that has another is refused.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from instances import generate, named
from instances.readers.openb import read_openb
from solver import Instance, InstanceError, write_instance
from solver.errors import OptionError
from solver.files.text import did_you_mean
from solver.system.whole_files import atomic_text, write_csv

from .fingerprint import content_hash

__all__ = ["Entry", "Suite", "export", "load_suite", "make", "rehash", "suite_names"]

FOLDER = Path(__file__).parent / "suites"
_SCHEMA = "nodewise-suite/1"
_KEYS = {"family", "parameters", "seed", "changes", "hash"}
_CHANGES = {"power_off", "max_load", "storage_factor"}
_OPENB_NODES = "openb_node_list_gpu_node.csv"
_PODS_LEFT_OUT = "without"


@dataclass(frozen=True)
class Entry:
    """One instance of a suite: how it is made, and the hash it must have."""

    family: str
    parameters: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    hash: str = ""

    @property
    def name(self) -> str:
        """Family, parameters, seed and changes as one text."""
        parts = [f"{key}={value}" for key, value in self.parameters.items()]
        parts += [] if self.seed is None else [f"seed={self.seed}"]
        spec = f"{self.family}:{','.join(parts)}" if parts else self.family
        changes = [f"{key}={json.dumps(value)}" for key, value in self.changes.items()]
        return " ".join([spec, *changes])


@dataclass(frozen=True)
class Suite:
    """A list of instances.

    Attributes
    ----------
    name, about : str
    entries : tuple of Entry
    """

    name: str
    about: str
    entries: tuple[Entry, ...]


def suite_names() -> list[str]:
    """The suites that there are."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load_suite(name: str) -> Suite:
    """Read a suite by name, or from a file in the same form.

    Raises
    ------
    OptionError
        If there is no such suite, or it has no instances.
    InstanceError
        If the file is malformed.
    """
    path = Path(name) if name.endswith(".json") else FOLDER / f"{name}.json"
    if not path.is_file():
        known = suite_names()
        raise OptionError(
            f"suite {name!r} is none of: {', '.join(known)}; nor a .json file"
            f"{did_you_mean(name, known)}"
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InstanceError(f"{path}: not JSON ({error})") from None
    if not isinstance(data, dict) or data.get("schema") != _SCHEMA:
        raise InstanceError(f"{path}: schema must be {_SCHEMA!r}")
    listed = data.get("instances", [])
    entries = tuple(_entry(path, number, item) for number, item in enumerate(listed))
    if not entries:
        raise OptionError(f"suite {path.stem!r} has no instances: {data.get('about', '')}")
    return Suite(path.stem, str(data.get("about", "")), entries)


def _entry(path: Path, number: int, item: Any) -> Entry:
    where = f"{path}: instances[{number}]"
    if not isinstance(item, dict) or not isinstance(item.get("family"), str):
        raise InstanceError(f"{where}: needs a family")
    for given, known in ((item, _KEYS), (item.get("changes", {}), _CHANGES)):
        if unknown := set(given) - known:
            raise InstanceError(
                f"{where}: unknown key {sorted(unknown)[0]!r}; known: {', '.join(sorted(known))}"
            )
    return Entry(**item)


def make(entry: Entry, data: Path | None = None, *, verify: bool = True) -> Instance:
    """Make the instance of an entry.

    Parameters
    ----------
    entry : Entry
    data : Path, optional
        Folder with the files of the openb trace, for family "openb".
    verify : bool
        Whether the hash must agree.

    Raises
    ------
    OptionError
        If data is needed and not given.
    InstanceError
        If a parameter is wrong, or the content has another hash than the entry says.
    """
    instance = _changed(_made(entry, data), entry.changes, entry.name)
    if verify:
        found = content_hash(instance)
        if found != entry.hash:
            raise InstanceError(
                f"{entry.name}: the content hash is {found[:12]}..., the suite says "
                f"{entry.hash[:12] or 'nothing'}...: the generator or the data has changed; "
                "results under the old hash are of another instance"
            )
    return instance


def _made(entry: Entry, data: Path | None) -> Instance:
    if entry.family == "openb":
        return _openb(entry, data)
    if entry.family == "named":
        return named()[entry.parameters["name"]]()
    seed = {} if entry.seed is None else {"seed": entry.seed}
    return generate(entry.family, **entry.parameters, **seed)


def _openb(entry: Entry, data: Path | None) -> Instance:
    if data is None:
        raise OptionError(
            f"{entry.name}: name the folder of the openb trace with --data "
            "(cluster-trace-gpu-v2023 of https://github.com/alibaba/clusterdata)"
        )
    pods = data / f"openb_pod_list_{entry.parameters['pods']}.csv"
    instance = read_openb([data / _OPENB_NODES, pods])
    left_out = entry.parameters.get(_PODS_LEFT_OUT)
    if left_out is None:
        return instance
    kept = [j for j, key in enumerate(instance.task_ids.tolist()) if key != left_out]
    everything = range(instance.num_nodes)
    return instance.restrict(everything, kept).replace(name=None)


def _changed(instance: Instance, changes: dict[str, Any], name: str) -> Instance:
    storage = instance.node_storage
    if "storage_factor" in changes:
        factor = changes["storage_factor"]
        shrunk = [_floor(value, factor) for value in storage.tolist()]
        storage = np.array(shrunk)
    settings = {key: changes[key] for key in ("max_load", "power_off") if key in changes}
    return instance.replace(node_storage=storage, name=name, **settings)


def _floor(value: float, factor: float) -> float:
    return value if math.isinf(value) else math.floor(value * factor)


def export(suite: Suite, folder: Path, data: Path | None = None) -> list[Path]:
    """Write every instance of a suite as JSON, named by its hash, and an index as CSV.

    Returns
    -------
    list of Path
        The files written, the index last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files, rows = [], []
    for entry in suite.entries:
        path = folder / f"{entry.hash[:16]}.json"
        write_instance(make(entry, data), path)
        files.append(path)
        rows.append((entry.hash, path.name, entry.name))
    index = folder / "index.csv"
    with atomic_text(index) as stream:
        write_csv(stream, ("hash", "file", "instance"), rows)
    return [*files, index]


def rehash(name: str, data: Path | None = None) -> int:
    """Write the hashes of a suite's instances into its file; how many were new.

    For those who change a suite: an entry is written without a hash, and gets one here.
    """
    suite = load_suite(name)
    path = FOLDER / f"{suite.name}.json"
    lines, changed = [], 0
    for entry in suite.entries:
        found = content_hash(make(entry, data, verify=False))
        changed += found != entry.hash
        item: dict[str, Any] = {"family": entry.family, "parameters": entry.parameters}
        item |= {} if entry.seed is None else {"seed": entry.seed}
        item |= {"changes": entry.changes} if entry.changes else {}
        lines.append(json.dumps({**item, "hash": found}))
    with atomic_text(path) as stream:
        about = json.dumps(suite.about)
        stream.write(f'{{"schema": "{_SCHEMA}",\n "about": {about},\n "instances": [\n  ')
        stream.write(",\n  ".join(lines) + "\n]}\n")
    return changed
