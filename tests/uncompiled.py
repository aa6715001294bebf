"""Run a script with compiled kernels and with the same code uncompiled."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def answers_of(script):
    """What a script prints as JSON, with compilation and without."""
    answers = []
    for disabled in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "NUMBA_DISABLE_JIT": disabled},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        answers.append(json.loads(done.stdout))
    return answers
