"""Unified diffs as git writes them. Pure.

Lines are split at `\\n` only. The shortest edit script is searched for (Myers); where two texts
have little in common they are divided first, at lines that occur once on both sides, so that the
time stays near linear.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

EDIT_LIMIT = 400
"""Edits the exact search may take; beyond it the texts are divided first."""

NO_NEWLINE = "\\ No newline at end of file\n"


def split_lines(text: str) -> list[str]:
    """The lines with their newlines; the last one may lack it."""
    lines = text.split("\n")
    whole = [line + "\n" for line in lines[:-1]]
    return [*whole, lines[-1]] if lines[-1] else whole


def hunks(old: str, new: str, context_lines: int = 3) -> str:
    """The `@@` hunks between two texts, without file headers; "" if they are equal."""
    if old == new:
        return ""
    before, after = split_lines(old), split_lines(new)
    pieces: list[str] = []
    for group in _grouped(changes(before, after), context_lines):
        pieces.extend(_hunk(before, after, group, context_lines))
    return "".join(pieces)


Change = tuple[int, int, int, int]
"""Lines `[0]:[1]` of the old text became lines `[2]:[3]` of the new one."""


def changes(before: list[str], after: list[str]) -> list[Change]:
    """The differing stretches, in order."""
    found: list[Change] = []
    _compare(before, after, 0, len(before), 0, len(after), found)
    merged: list[Change] = []
    for change in found:
        if merged and merged[-1][1] == change[0] and merged[-1][3] == change[2]:
            merged[-1] = (merged[-1][0], change[1], merged[-1][2], change[3])
        else:
            merged.append(change)
    return merged


def _compare(
    a: list[str], b: list[str], a0: int, a1: int, b0: int, b1: int, found: list[Change]
) -> None:
    """Append the changes between `a[a0:a1]` and `b[b0:b1]`."""
    stretches = [(a0, a1, b0, b1)]
    while stretches:
        a0, a1, b0, b1 = stretches.pop()
        while a0 < a1 and b0 < b1 and a[a0] == b[b0]:
            a0 += 1
            b0 += 1
        while a0 < a1 and b0 < b1 and a[a1 - 1] == b[b1 - 1]:
            a1 -= 1
            b1 -= 1
        if a0 == a1 or b0 == b1:
            if a0 < a1 or b0 < b1:
                found.append((a0, a1, b0, b1))
            continue
        exact = _shortest(a, b, a0, a1, b0, b1)
        if exact is not None:
            found.extend(exact)
            continue
        anchors = _anchors(a, b, a0, a1, b0, b1)
        if not anchors:
            found.append((a0, a1, b0, b1))
            continue
        divided = []
        for a_anchor, b_anchor in anchors:
            divided.append((a0, a_anchor, b0, b_anchor))
            a0, b0 = a_anchor, b_anchor
        divided.append((a0, a1, b0, b1))
        stretches.extend(reversed(divided))


def _shortest(
    a: list[str], b: list[str], a0: int, a1: int, b0: int, b1: int
) -> list[Change] | None:
    """Myers' greedy search; None when it takes more than `EDIT_LIMIT` edits."""
    n, m = a1 - a0, b1 - b0
    limit = min(n + m, EDIT_LIMIT)
    furthest = {1: 0}
    trail: list[dict[int, int]] = []
    for edits in range(limit + 1):
        trail.append(dict(furthest))
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (
                diagonal != edits
                and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
            )
            x = furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1
            y = x - diagonal
            while x < n and y < m and a[a0 + x] == b[b0 + y]:
                x += 1
                y += 1
            furthest[diagonal] = x
            if x >= n and y >= m:
                return _walked_back(trail, n, m, a0, b0)
    return None


def _walked_back(trail: list[dict[int, int]], x: int, y: int, a0: int, b0: int) -> list[Change]:
    steps: list[Change] = []
    for edits in range(len(trail) - 1, 0, -1):
        furthest = trail[edits]
        diagonal = x - y
        down = diagonal == -edits or (
            diagonal != edits and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
        )
        previous = diagonal + 1 if down else diagonal - 1
        from_x = furthest[previous]
        from_y = from_x - previous
        if down:
            steps.append((a0 + from_x, a0 + from_x, b0 + from_y, b0 + from_y + 1))
        else:
            steps.append((a0 + from_x, a0 + from_x + 1, b0 + from_y, b0 + from_y))
        x, y = from_x, from_y
    steps.reverse()
    return steps


def _anchors(
    a: list[str], b: list[str], a0: int, a1: int, b0: int, b1: int
) -> list[tuple[int, int]]:
    """Pairs of equal lines that occur once on each side, the longest run that keeps its order."""
    a_counts = Counter(a[a0:a1])
    b_counts = Counter(b[b0:b1])
    b_places = {b[index]: index for index in range(b0, b1) if b_counts[b[index]] == 1}
    pairs = [
        (index, b_places[a[index]])
        for index in range(a0, a1)
        if a_counts[a[index]] == 1 and a[index] in b_places
    ]
    tails: list[int] = []
    tail_pairs: list[int] = []
    links: list[int] = []
    for position, (_, place) in enumerate(pairs):
        slot = bisect_left(tails, place)
        links.append(tail_pairs[slot - 1] if slot else -1)
        if slot == len(tails):
            tails.append(place)
            tail_pairs.append(position)
        else:
            tails[slot] = place
            tail_pairs[slot] = position
    chain: list[tuple[int, int]] = []
    at = tail_pairs[-1] if tail_pairs else -1
    while at >= 0:
        chain.append(pairs[at])
        at = links[at]
    chain.reverse()
    return chain


def _grouped(all_changes: list[Change], context_lines: int) -> list[list[Change]]:
    """Changes that share a hunk because their context touches."""
    groups: list[list[Change]] = []
    for change in all_changes:
        if groups and change[0] - groups[-1][-1][1] <= 2 * context_lines:
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def _hunk(
    before: list[str], after: list[str], group: list[Change], context_lines: int
) -> list[str]:
    lead = min(context_lines, group[0][0])
    old_start, new_start = group[0][0] - lead, group[0][2] - lead
    old_end = min(len(before), group[-1][1] + context_lines)
    new_end = group[-1][3] + (old_end - group[-1][1])
    lines = [f"@@ -{_range(old_start, old_end)} +{_range(new_start, new_end)} @@\n"]
    at = old_start
    for old_from, old_to, new_from, new_to in group:
        lines.extend(_marked(" ", before[at:old_from]))
        lines.extend(_marked("-", before[old_from:old_to]))
        lines.extend(_marked("+", after[new_from:new_to]))
        at = old_to
    lines.extend(_marked(" ", before[at:old_end]))
    return lines


def _range(start: int, end: int) -> str:
    count = end - start
    first = start + 1 if count else start
    return str(first) if count == 1 else f"{first},{count}"


def _marked(mark: str, lines: list[str]) -> list[str]:
    return [mark + line if line.endswith("\n") else f"{mark}{line}\n{NO_NEWLINE}" for line in lines]
