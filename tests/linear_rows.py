"""Whether values keep the rows of a linear model."""

import numpy as np


def rows_hold(model, values):
    """Whether values keep every bound and row, in exact arithmetic."""
    if (values < model.lower).any() or (values > model.upper).any():
        return False
    terms = model.coefficient.astype(object) * values[model.column].astype(object)
    row = np.repeat(np.arange(model.num_rows), np.diff(model.row_start))
    activity = np.zeros(model.num_rows, dtype=object)
    np.add.at(activity, row, terms)
    return bool(((model.row_lower <= activity) & (activity <= model.row_upper)).all())
