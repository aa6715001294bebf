"""A Kubernetes cluster as an instance, and a plan as lines of `kubectl`.

`objects` reads the files, `cluster` makes records of nodes and pods, with `quantities`, `requests`
and `selectors`; `eligibility`, `rules` and `budgets` say where pods may be and move, `needs` and
`prices` what they take and cost; `reader` makes the instance.
"""

from ..notes import Note, Reading
from .reader import convert_kubernetes, read_kubernetes

__all__ = ["Note", "Reading", "convert_kubernetes", "read_kubernetes"]
