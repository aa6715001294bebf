"""How many cases a randomised test runs: some in CI, many more in the nightly suite.

The nightly suite is the same tests with ``NODEWISE_NIGHTLY=1`` in the environment.
"""

import os

NIGHTLY = os.environ.get("NODEWISE_NIGHTLY") == "1"


def cases(ci: int, nightly: int) -> int:
    """The number of cases to run here."""
    return nightly if NIGHTLY else ci
