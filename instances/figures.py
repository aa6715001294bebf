"""Published figures of serving large models, each with its source: `data/*.csv`.

>>> [(one.gpu, one.num_gpus) for one in serving("Llama-3.1-70B", "lm-arena-chat")]
[('B200', 2), ('H100', 4)]
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple, get_type_hints

__all__ = ["Loss", "Server", "Serving", "losses", "servers", "serving"]

_FOLDER = Path(__file__).parent / "data"


class Serving(NamedTuple):
    """One measured way to serve a model.

    Attributes
    ----------
    name : str
        Of the model without vendor and precision; those of one name are forms of one model.
    model : str
        As its weights are published.
    workload : str
        The requests it was measured with.
    params_b : float
        Parameters, in 10^9.
    precision : {"bf16", "fp8", "mxfp4"}
    gpu : str
    num_gpus : int
    tokens_per_s : float
        Output tokens a second of all GPUs together, at the largest batch measured.
    watts : float
        Of all GPUs together.
    source : str
    """

    name: str
    model: str
    workload: str
    params_b: float
    precision: str
    gpu: str
    num_gpus: int
    tokens_per_s: float
    watts: float
    source: str


class Server(NamedTuple):
    """A server to rent, at dollars an hour.

    GPU kind and number; memory in GB and dense 16-bit TFLOPS of all of them together.
    """

    kind: str
    gpus: int
    memory_gb: int
    tflops: int
    price_per_hour_usd: float
    source: str


class Loss(NamedTuple):
    """What a precision costs in quality: per cent of the score of the model as published.

    `bits` a weight; `params_b` are those of the model it was measured on.
    """

    precision: str
    bits: float
    measured_on: str
    params_b: float
    loss_percent: float
    metric: str
    source: str


@cache
def serving(name: str | None = None, workload: str | None = None) -> tuple[Serving, ...]:
    """The ways to serve models, of one model or one workload where named."""
    return tuple(
        one
        for one in _read(Serving, "serving.csv")
        if name in (None, one.name) and workload in (None, one.workload)
    )


@cache
def servers() -> tuple[Server, ...]:
    """The servers to rent.

    >>> [one.price_per_hour_usd for one in servers() if (one.kind, one.gpus) == ("B200", 8)]
    [44.0]
    """
    return tuple(_read(Server, "servers.csv"))


@cache
def losses(precision: str, params_b: float) -> Loss:
    """What is lost by a precision, as measured on the model nearest in size.

    >>> losses("int4", 14).loss_percent, losses("fp8", 405).loss_percent
    (1.1, 0.13)
    """
    measured = [one for one in _read(Loss, "losses.csv") if one.precision == precision]
    return min(measured, key=lambda one: abs(one.params_b - params_b))


def _read[Row](kind: Callable[..., Row], file: str) -> list[Row]:
    """The rows of a file as records, numbers as the record's fields are typed."""
    types = get_type_hints(kind)
    with (_FOLDER / file).open(newline="", encoding="utf-8") as stream:
        return [
            kind(**{key: types[key](text) for key, text in row.items()})
            for row in csv.DictReader(stream)
        ]
