"""Whether parts of a search run on a joblib backend that the user has chosen."""

from __future__ import annotations

import sys

__all__ = ["backend_jobs", "has_backend"]


def has_backend() -> bool:
    """Whether the user has chosen a backend, which holds for the calling thread alone."""
    return "joblib" in sys.modules and backend_jobs() is not None


def backend_jobs() -> int | None:
    """How many jobs the user's backend is to run, -1 for all it can; None without one."""
    from joblib.parallel import LokyBackend, get_active_backend

    backend, jobs = get_active_backend()
    if isinstance(backend, LokyBackend) and jobs in (None, 1):
        return None
    return int(jobs) if jobs not in (None, 1) else -1
