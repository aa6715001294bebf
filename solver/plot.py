"""The picture of an allocation: load against capacity, node by node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import BackendUnavailableError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["plot_loads"]

_FULL, _OVER, _IDLE = "#0072b2", "#d55e00", "#dddddd"  # Okabe-Ito: told apart by all readers


def plot_loads(
    load: NDArray[Any], compute: NDArray[Any], ax: Axes | None = None, title: str = ""
) -> Axes:
    """Draw one bar a node: idle capacity, load within it, load above it.

    Parameters
    ----------
    load, compute : (n,) numbers in one unit
        Nodes are drawn from the largest capacity to the smallest.
    ax : matplotlib Axes, optional
    title : str

    Raises
    ------
    BackendUnavailableError
        If matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError:
        raise BackendUnavailableError(
            "plotting needs matplotlib: pip install 'nodewise[plot]'"
        ) from None
    order = np.lexsort((-load.astype(float), -compute.astype(float)))
    load, compute = load[order].astype(float), compute[order].astype(float)
    if ax is None:
        _, ax = pyplot.subplots(figsize=(8, 3.5), layout="constrained")
    x = np.arange(load.size)
    width = 1.0 if load.size > 60 else 0.8
    within = np.minimum(load, compute)
    ax.bar(x, compute, width, color=_IDLE, label="idle capacity")
    ax.bar(x, within, width, color=_FULL, label="load within capacity")
    ax.bar(x, load - within, width, bottom=within, color=_OVER, hatch="//", label="overload")
    ax.step(
        np.append(x - 0.5, load.size - 0.5),
        np.append(compute, compute[-1]),
        where="post",
        color="black",
        linewidth=0.8,
    )
    ax.set_xlabel("node, by capacity")
    ax.set_ylabel("compute")
    ax.set_title(title, fontsize="medium")
    ax.set_xlim(-0.6, load.size - 0.4)
    ax.legend(fontsize="small", frameon=False, ncols=3, loc="upper right")
    ax.set_ylim(0, 1.18 * max(float(compute.max()), float(load.max()), 1e-12))
    return ax
