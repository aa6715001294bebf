"""The cheapest choice of listed columns that places every task once, by branch and bound.

    minimise   sum_c  cost_c x_c + sum_g empty_g (n_g - sum_{c of g} x_c)
    subject to sum_c  a_kc x_c = m_k           every class of tasks
               sum_{c of g}  x_c <= n_g        every class of nodes
               x_c >= 0, integer

Costs are reduced costs at some prices of the tasks, so that the least of each class of nodes, for
each node that is left, bounds what remains; a column by which the bound would pass the budget is
left out. Near the root the prices are moved by subgradient steps on the columns that are left
(Held and Karp 1971, "The traveling-salesman problem and minimum spanning trees: Part II"). A branch
is a column for the task that has the fewest. All is in 64-bit integers.
"""

from __future__ import annotations

from .build.jit import kernel, lean
from .listed import LEVELS, Listed, Search, fits, put
from .settings import LOOPS

__all__ = ["ENDED", "FOUND", "OVERFULL", "PAUSED", "search_on"]

ENDED, FOUND, PAUSED, OVERFULL = 0, 1, 2, 3
_DEPTH, _ENTERING, _BUDGET, _WORK, _MANY = 0, 1, 2, 3, 4
_ITERATIONS = LOOPS.partition_steps
_MOST_MOVE = 2**35
_LARGE = 2**62


@lean
def _remainder(listed: Listed, search: Search, depth: int) -> int:
    """What the nodes that are left cost at least, the prices changed by `move`; sets `least`."""
    for g in range(search.least.size):
        search.least[g], search.pick[g] = listed.empty[g], -1
    level, first = search.level[depth], search.start[depth]
    for q in range(first, first + search.left[depth]):
        i = search.stack[q]
        cost = search.cost[level, i]
        for p in range(listed.tasks.shape[1]):
            k = listed.tasks[i, p]
            if k < 0:
                break
            cost -= search.move[k]
        g = listed.node[i]
        if cost < search.least[g]:
            search.least[g], search.pick[g] = cost, i
    total = 0
    for g in range(search.least.size):
        total += search.nodes[g] * search.least[g]
    for k in range(search.move.size):
        total += search.waiting[k] * search.move[k]
    search.now[_WORK] += search.left[depth]
    return total


@lean
def _ascend(listed: Listed, search: Search, depth: int, bound: int) -> int:
    """Move the prices so that what remains costs more; the best bound of it all."""
    K, budget = search.move.size, search.now[_BUDGET]
    best, share, value = bound, 1.0, bound
    for k in range(K):
        search.best_move[k] = 0
    for _ in range(_ITERATIONS):
        for k in range(K):
            search.covered[k] = 0
        for g in range(search.pick.size):
            i = search.pick[g]
            if i >= 0:
                for p in range(listed.tasks.shape[1]):
                    if listed.tasks[i, p] < 0:
                        break
                    search.covered[listed.tasks[i, p]] += search.nodes[g]
        norm = 0.0
        for k in range(K):
            if search.waiting[k] > 0:
                norm += float(search.waiting[k] - search.covered[k]) ** 2
        if norm == 0.0:
            break
        step = share * float(budget + 1 - value) / norm
        for k in range(K):
            if search.waiting[k] > 0:
                change = step * float(search.waiting[k] - search.covered[k])
                moved = float(search.move[k]) + change
                search.move[k] = int(min(max(moved, -_MOST_MOVE), _MOST_MOVE))
        value = search.spent[depth] + _remainder(listed, search, depth)
        if value > best:
            best = value
            for k in range(K):
                search.best_move[k] = search.move[k]
            if best > budget:
                break
        else:
            share *= 0.7
    for k in range(K):
        search.move[k] = 0
    return best


@lean
def _take_prices(listed: Listed, search: Search, depth: int) -> None:
    """Have the best change of prices hold at this depth and below."""
    old, new = search.level[depth], search.level[depth] + 1
    for k in range(search.move.size):
        search.spent[depth] += search.waiting[k] * search.best_move[k]
    first = search.start[depth]
    for q in range(first, first + search.left[depth]):
        i = search.stack[q]
        cost = search.cost[old, i]
        for p in range(listed.tasks.shape[1]):
            k = listed.tasks[i, p]
            if k < 0:
                break
            cost -= search.best_move[k]
        search.cost[new, i] = cost
    search.level[depth] = new


@lean
def _scarcest(listed: Listed, search: Search, depth: int, room: int) -> int:
    """Drop columns that leave the budget; the task that fewest of the others cover, -1 if none."""
    level, first = search.level[depth], search.start[depth]
    end = first
    for k in range(search.covered.size):
        search.covered[k] = 0
    for q in range(first, first + search.left[depth]):
        i = search.stack[q]
        if search.cost[level, i] - search.least[listed.node[i]] <= room:
            search.stack[end] = i
            end += 1
            before = -1
            for p in range(listed.tasks.shape[1]):
                k = listed.tasks[i, p]
                if k < 0:
                    break
                if k != before:
                    search.covered[k] += 1
                before = k
    search.left[depth] = end - first
    scarcest, fewest = -1, _LARGE
    for k in range(search.covered.size):
        if search.waiting[k] > 0 and search.covered[k] < fewest:
            scarcest, fewest = k, search.covered[k]
    return scarcest if fewest > 0 else -1


@lean
def _line_up(listed: Listed, search: Search, depth: int, task: int) -> None:
    """The columns of a task behind those of the depth, the cheapest first."""
    level, first = search.level[depth], search.start[depth]
    end = first + search.left[depth]
    size = 0
    for q in range(first, end):
        i = search.stack[q]
        for p in range(listed.tasks.shape[1]):
            if listed.tasks[i, p] < 0:
                break
            if listed.tasks[i, p] == task:
                search.stack[end + size] = i
                size += 1
                break
    gap = size // 2
    while gap > 0:  # Shell's sort
        for q in range(end + gap, end + size):
            i, at = search.stack[q], q
            over = search.cost[level, i] - search.least[listed.node[i]]
            while at >= end + gap:
                j = search.stack[at - gap]
                if search.cost[level, j] - search.least[listed.node[j]] <= over:
                    break
                search.stack[at] = j
                at -= gap
            search.stack[at] = i
        gap //= 2
    search.branches[depth], search.branch[depth] = size, 0


@lean
def _enter(listed: Listed, search: Search, depth: int) -> bool:
    """Bound what remains and line up its branches; whether there are any."""
    search.branches[depth] = 0
    bound = search.spent[depth] + _remainder(listed, search, depth)
    if bound > search.now[_BUDGET]:
        return False
    if search.left[depth] > search.now[_MANY] and search.level[depth] + 1 < LEVELS:
        best = _ascend(listed, search, depth, bound)
        if best > search.now[_BUDGET]:
            return False
        if best > bound:
            _take_prices(listed, search, depth)
        bound = search.spent[depth] + _remainder(listed, search, depth)
    task = _scarcest(listed, search, depth, search.now[_BUDGET] - bound)
    if task < 0:
        return False
    _line_up(listed, search, depth, task)
    return True


@lean
def _descend(listed: Listed, search: Search, depth: int, i: int) -> None:
    """Choose a column and gather those that go with it."""
    put(listed, search, i, 1)
    search.chosen[depth] = i
    below = depth + 1
    search.spent[below] = search.spent[depth] + search.cost[search.level[depth], i]
    search.level[below] = search.level[depth]
    first = search.start[depth]
    end = first + search.left[depth]
    search.start[below] = end + search.branches[depth]
    size = 0
    for q in range(first, end):
        if fits(listed, search, search.stack[q]):
            search.stack[search.start[below] + size] = search.stack[q]
            size += 1
    search.left[below] = size
    search.now[_WORK] += end - first


@lean
def _leave(listed: Listed, search: Search, depth: int) -> None:
    """Allow again what was tried at a depth, and take back the choice above it."""
    first = search.start[depth] + search.left[depth]
    for q in range(first, first + search.branches[depth]):
        search.banned[search.stack[q]] = False
    search.branches[depth] = 0
    if depth > 0:
        i = search.chosen[depth - 1]
        put(listed, search, i, -1)
        search.banned[i] = True  # its solutions have been seen


@lean
def _solution(listed: Listed, search: Search, depth: int) -> bool:
    """Whether all tasks are covered within the budget; copies the columns to `best`."""
    for k in range(search.waiting.size):
        if search.waiting[k] > 0:
            return False
    cost = search.spent[depth]
    for g in range(search.nodes.size):
        cost += search.nodes[g] * listed.empty[g]
    if cost > search.now[_BUDGET]:
        return False
    for d in range(search.best.size):
        search.best[d] = search.chosen[d] if d < depth else -1
    return True


@kernel
def search_on(listed: Listed, search: Search, work: int) -> int:
    """Go on with a search.

    Parameters
    ----------
    listed : Listed
    search : Search
        From `make_search` or an earlier call; between calls its budget may be lowered.
    work : int
        How often columns are looked at before it pauses, about.

    Returns
    -------
    int
        `ENDED`: no further solution keeps the budget; `FOUND`: one is in ``search.best``;
        `PAUSED`; `OVERFULL`: the stack is too small, the search cannot go on.
    """
    until = search.now[_WORK] + work
    while search.now[_DEPTH] >= 0:
        depth = search.now[_DEPTH]
        found = False
        if search.now[_ENTERING] == 1:
            if search.now[_WORK] > until:
                return PAUSED
            if search.start[depth] + 3 * search.left[depth] > search.stack.size:
                return OVERFULL
            search.now[_ENTERING] = 0
            found = _solution(listed, search, depth)
            if found or not _enter(listed, search, depth):
                search.branch[depth] = search.branches[depth]
        if search.branch[depth] < search.branches[depth]:
            i = search.stack[search.start[depth] + search.left[depth] + search.branch[depth]]
            search.branch[depth] += 1
            _descend(listed, search, depth, i)
            search.now[_DEPTH], search.now[_ENTERING] = depth + 1, 1
        else:
            _leave(listed, search, depth)
            search.now[_DEPTH] = depth - 1
        if found:
            return FOUND
    return ENDED
