"""The verb that makes instances from files of public formats, one command a format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import OptionError
from ..model.instance import Instance
from .display import say
from .making import put_instance
from .shared import OutputInstance

__all__ = ["convert"]

convert = typer.Typer(help="Convert files of a public format to an instance.", no_args_is_help=True)

InputFiles = Annotated[list[Path], typer.Argument(metavar="IN...", help="Files of that format.")]


@convert.command("openb")
def openb_command(files: InputFiles, output: OutputInstance = None) -> None:
    """Convert a node list and a pod list of the GPU trace "openb"."""
    from instances.readers import read_openb

    put_instance(lambda: read_openb(files), output, inputs=[str(path) for path in files])


@convert.command("slurm")
def slurm_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="NODES JOBS",
            help="JSON of `scontrol show nodes --json` or `sinfo --json`, and of `squeue --json`.",
        ),
    ],
    output: OutputInstance = None,
    compute: Annotated[
        str | None,
        typer.Option(help="gpu or cpu; default: gpu, if there are any.", metavar="WHAT"),
    ] = None,
    prices: Annotated[
        Path | None,
        typer.Option(
            help="Prices of nodes: a CSV file kind,price by type of GPU.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    pending: Annotated[
        bool, typer.Option(help="Also take jobs that wait: all must be placed.")
    ] = True,
    skip_price: Annotated[
        float | None,
        typer.Option(help="Price of leaving out a job that waits.", metavar="PRICE"),
    ] = None,
    power_off: Annotated[
        bool, typer.Option("--power-off", help="Empty nodes are switched off and cost nothing.")
    ] = False,
) -> None:
    """Convert the nodes and jobs of a Slurm cluster.

    What the instance does not say as the cluster does is listed, with counts.
    """
    from instances.readers import convert_slurm

    def make() -> Instance:
        reading = convert_slurm(
            files,
            compute=compute,
            pending=pending,
            skip_price=skip_price,
            power_off=power_off,
            prices=prices,
        )
        for note in reading.notes:
            say(str(note))
        say("units: " + ", ".join(f"{name} in {unit}" for name, unit in reading.units.items()))
        return reading.instance

    inputs = [str(path) for path in (*files, *([prices] if prices else []))]
    put_instance(make, output, inputs=inputs)


@convert.command("table")
def table_command(
    nodes: Annotated[Path, typer.Option(help="CSV with a row a node.", metavar="FILE")],
    tasks: Annotated[Path, typer.Option(help="CSV with a row a task.", metavar="FILE")],
    output: OutputInstance = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN,...",
            help="Where the names of columns are others than those of the fields, in either table.",
        ),
    ] = None,
    node_columns: Annotated[
        list[str] | None,
        typer.Option("--map-nodes", metavar="FIELD=COLUMN,...", help="In the table of nodes."),
    ] = None,
    task_columns: Annotated[
        list[str] | None,
        typer.Option("--map-tasks", metavar="FIELD=COLUMN,...", help="In the table of tasks."),
    ] = None,
    units: Annotated[
        list[str] | None,
        typer.Option(
            "--unit",
            metavar="FIELD=UNIT,...",
            help="Unit of the numbers to write, and of those in the tables that have none: "
            "storage=GiB.",
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN,...", help="Columns to leave aside.")
    ] = None,
    decimal: Annotated[str, typer.Option(help="The decimal mark, . or ,", metavar="MARK")] = ".",
    max_load: Annotated[
        float | None,
        typer.Option(help="Most load, as a multiple of compute; 1: no overload.", metavar="ALPHA"),
    ] = None,
    power_off: Annotated[
        bool, typer.Option("--power-off", help="Empty nodes are switched off and cost nothing.")
    ] = False,
) -> None:
    """Convert two CSV tables with columns of any names; numbers may have units.

    For example: nodewise convert table --nodes n.csv --tasks t.csv
    --map compute=gpus,storage=mem -o FILE
    """
    from instances.readers import read_table_files

    notes: list[str] = []
    put_instance(
        lambda: read_table_files(
            [nodes, tasks],
            columns=_pairs("--map", columns),
            node_columns=_pairs("--map-nodes", node_columns),
            task_columns=_pairs("--map-tasks", task_columns),
            units=_pairs("--unit", units),
            ignore=_listed(ignore),
            decimal=decimal,
            notes=notes,
            max_load=max_load,
            power_off=power_off,
        ),
        output,
        inputs=[str(nodes), str(tasks)],
    )
    _tell_all(notes)


def _listed(texts: list[str] | None) -> list[str]:
    """The names in options that may be given several times, with commas between names."""
    return [name for text in texts or () for each in text.split(",") if (name := each.strip())]


def _pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in _listed(texts):
        field, sign, column = (each.strip() for each in pair.partition("="))
        if not (field and sign and column) or field in pairs:
            raise OptionError(f"{option} {pair!r}: write each field once, as in compute=gpus")
        pairs[field] = column
    return pairs


def _tell_all(notes: list[str]) -> None:
    for note in notes:
        say(f"note: {note}")


@convert.command("kubernetes")
def kubernetes_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="NODES PODS [PDBS] [NAMESPACES]",
            help="JSON or YAML of `kubectl get nodes -o json`, `kubectl get pods -A -o json`, "
            "`kubectl get pdb -A -o json`, in any order.",
        ),
    ],
    output: OutputInstance = None,
    prices: Annotated[
        Path | None,
        typer.Option(
            help="Prices of nodes: a CSV file instance_type,price and, if wanted, keys of labels.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    compute: Annotated[
        str, typer.Option(help="The resource that is compute.", metavar="RESOURCE")
    ] = "nvidia.com/gpu",
    pending: Annotated[
        bool, typer.Option(help="Also take pods that run nowhere yet: all must be placed.")
    ] = True,
    mend: Annotated[
        bool, typer.Option(help="Keep rules that pods break now; else weaken these to how it is.")
    ] = True,
) -> None:
    """Convert the nodes, pods and disruption budgets of a Kubernetes cluster.

    What the instance does not say as the cluster does is listed, with counts.
    """
    from instances.readers import convert_kubernetes

    def make() -> Instance:
        reading = convert_kubernetes(
            files, prices=prices, compute=compute, pending=pending, mend=mend
        )
        for note in reading.notes:
            say(str(note))
        say("units: " + ", ".join(f"{name} in {unit}" for name, unit in reading.units.items()))
        return reading.instance

    inputs = [str(path) for path in (*files, *([prices] if prices else []))]
    put_instance(make, output, inputs=inputs)
