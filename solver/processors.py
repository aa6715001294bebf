"""How many processors this process may use."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["processors"]

_CGROUP = Path("/sys/fs/cgroup")


def processors() -> int:
    """Processors by affinity, or fewer if a container's quota of time is smaller."""
    count = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    quota = _quota(_CGROUP)
    return count if quota is None else max(1, min(count, quota))


def _quota(cgroup: Path) -> int | None:
    """Whole processors that the control group grants, rounded up; None if it sets no limit."""
    try:
        if (cgroup / "cpu.max").exists():
            granted, period = (cgroup / "cpu.max").read_text().split()[:2]
        else:
            folder = cgroup / "cpu"
            granted = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        return -(-int(granted) // int(period)) if int(granted) > 0 and int(period) > 0 else None
    except (OSError, ValueError):  # no control groups, or "max"
        return None
