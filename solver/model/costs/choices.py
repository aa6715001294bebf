"""What choosing a variant, leaving a task out and moving a part cost, as exact integers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..exact import Array, decimal_places, exact_column, fraction_of
from ..records import Number, Variant

__all__ = ["ChoicePrices", "Choices"]


@dataclass(frozen=True)
class Choices:
    """The costs of choices in exact integers.

    Attributes
    ----------
    form_cost : (Q,) integers
        Price of the variant and of its loss, in units of cost.
    skip_cost : (m,) integers
        Of leaving a task out; -1 where it must run.
    move_cost : (m,) integers
        Of each part of a task that moves.
    form_loss : (Q,) integers
    loss_budget : int or None
        The most that the losses of the chosen forms may sum to, in the same unit.
    loss_scale : int
        By what losses were multiplied.
    form_allowed : (Q,) bool
        Whether the loss of a form is within what its task may lose.
    """

    form_cost: Array
    skip_cost: Array
    move_cost: Array
    form_loss: Array
    loss_budget: int | None
    loss_scale: int
    form_allowed: Array


@dataclass(frozen=True)
class ChoicePrices:
    """The same in the user's numbers.

    Attributes
    ----------
    variants : sequence of Variant
        Of all sets.
    form_source : (Q,) int64
        Position of the variant of each form, -1 for own figures.
    form_task : (Q,) int64
    max_loss, skip_price, move_price : (m,) numbers
        Infinite where none is given.
    common_move_price, quality_price : int or float
    quality_budget : int, float or None
    """

    variants: Sequence[Variant]
    form_source: Array
    form_task: Array
    max_loss: Array
    skip_price: Array
    move_price: Array
    common_move_price: Number
    quality_price: Number
    quality_budget: Number | None

    @classmethod
    def of(cls, instance: Any) -> ChoicePrices:
        """Those of an `Instance`."""
        return cls(
            variants=instance.rows.all_variants,
            form_source=instance.rows.form_source,
            form_task=instance.rows.form_task,
            max_loss=instance.task_max_loss,
            skip_price=instance.task_skip_price,
            move_price=instance.task_move_price,
            common_move_price=instance.move_price,
            quality_price=instance.quality_price,
            quality_budget=instance.quality_budget,
        )

    @property
    def places(self) -> int:
        """Decimals with which every price here is an integer."""
        price = exact_column([variant.price for variant in self.variants])
        loss = 0
        if self.quality_price:  # else losses are in no price
            loss = decimal_places(exact_column([self.quality_price])) + decimal_places(self._loss())
        others = decimal_places(
            price, self.skip_price, self.move_price, exact_column([self.common_move_price])
        )
        return max(loss, others)

    def in_integers(self, cost_scale: int) -> Choices:
        """The costs in units of which a user's one has `cost_scale`; a multiple of 10**places."""
        loss = self._loss()
        budget = [] if self.quality_budget is None else [self.quality_budget]
        loss_scale = 10 ** decimal_places(loss, exact_column(budget))
        losses = [fraction_of(value) for value in loss.tolist()]
        costs = [
            (fraction_of(variant.price) + fraction_of(self.quality_price) * lost) * cost_scale
            for variant, lost in zip(self.variants, losses, strict=False)
        ]
        allowed = self._allowed(losses)
        return Choices(
            form_cost=_of_forms([*costs, Fraction(0)], self.form_source),
            skip_cost=_scaled(self.skip_price, cost_scale, -1),
            move_cost=_scaled(
                self.move_price, cost_scale, int(fraction_of(self.common_move_price) * cost_scale)
            ),
            form_loss=_of_forms([lost * loss_scale for lost in losses], self.form_source),
            loss_budget=None if not budget else int(fraction_of(budget[0]) * loss_scale),
            loss_scale=loss_scale,
            form_allowed=allowed,
        )

    def _allowed(self, losses: list[Fraction]) -> Array:
        """(Q,) bool: whether a form loses no more than its task may, by the losses of variants."""
        limits, limit = np.unique(self.max_loss, return_inverse=True)
        pairs, pair = np.unique(
            self.form_source * limits.size + limit.reshape(-1)[self.form_task], return_inverse=True
        )
        most = [None if value == math.inf else fraction_of(value) for value in limits.tolist()]
        allowed = []
        for key in pairs.tolist():
            top = most[key % limits.size]
            allowed.append(top is None or losses[key // limits.size] <= top)
        found: Array = np.array(allowed, dtype=bool)[pair.reshape(-1)]
        return found

    def _loss(self) -> Array:
        """Of each variant, and 0 of own figures behind them."""
        return exact_column([*(variant.loss for variant in self.variants), 0])


def _of_forms(values: list[Fraction], source: Array) -> Array:
    """Values of variants, and of own figures behind them, for every form."""
    column: Array = exact_column([int(value) for value in values])[source]
    return column


def _scaled(prices: Array, scale: int, otherwise: int) -> Array:
    """Prices times a scale; another number where they are infinite, for none."""
    distinct, place = np.unique(prices, return_inverse=True)
    values = [
        otherwise if price == math.inf else int(fraction_of(price) * scale)
        for price in distinct.tolist()
    ]
    column: Array = exact_column(values)[place.reshape(-1)]
    return column
