"""Slurm clusters: nodes of scontrol or sinfo and jobs of squeue, all as JSON."""

from .reader import convert_slurm, read_slurm

__all__ = ["convert_slurm", "read_slurm"]
