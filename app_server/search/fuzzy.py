"""Scores a path against a few letters: how well, and where they stand. Pure.

Every letter has to occur, in order; capitals make no difference. Letters are worth most at the
beginning of a path part or a word and in a run; gaps cost a little. Words of a query, separated by
spaces, are looked for one by one and their scores added. The points are those of the matcher the
original uses, so both rank alike.
"""

from __future__ import annotations

import msgspec

MATCH = 16
GAP_START = 3
GAP_EXTENSION = 1
BOUNDARY = 8
AFTER_SLASH = BOUNDARY + 1
CAMEL = BOUNDARY - GAP_EXTENSION
RUN = GAP_START + GAP_EXTENSION
FIRST_LETTER_FACTOR = 2

MAX_LENGTH = 1_000
"""Longer paths are not scored: the time grows with the square of repeated letters."""


class Match(msgspec.Struct, frozen=True):
    """A score, higher is better, and the matched positions in ascending order."""

    score: int
    indices: list[int]


class Query:
    """A query taken apart once, to be held against many paths."""

    def __init__(self, text: str) -> None:
        self.words = text.lower().split()

    def match(self, path: str) -> Match | None:
        """How the path fits; None if a letter is missing, or if the query is blank."""
        lowered = path.lower()
        if len(lowered) != len(path):
            lowered = "".join(character.lower()[:1] for character in path)
        if not self.words or len(path) > MAX_LENGTH:
            return None
        if not all(_occurs(word, lowered) for word in self.words):
            return None
        score = 0
        indices: set[int] = set()
        for word in self.words:
            found = _best(word, lowered, path)
            score += found.score
            indices.update(found.indices)
        return Match(score, sorted(indices))


def _occurs(word: str, lowered: str) -> bool:
    at = 0
    for letter in word:
        at = lowered.find(letter, at) + 1
        if not at:
            return False
    return True


class _Step(msgspec.Struct):
    """The best way to match the letters so far with the last one at `place`."""

    place: int
    score: int
    run_bonus: int
    """What each further letter of the present run is worth at least."""
    before: _Step | None


def _best(word: str, lowered: str, path: str) -> Match:
    """The best placing of a word that is known to occur."""
    steps: list[_Step] = []
    for position, letter in enumerate(word):
        steps = _placed(letter, lowered, path, steps, is_first=position == 0)
    best = max(steps, key=lambda step: step.score)
    indices: list[int] = []
    step: _Step | None = best
    while step is not None:
        indices.append(step.place)
        step = step.before
    return Match(best.score, indices[::-1])


def _placed(
    letter: str, lowered: str, path: str, before: list[_Step], *, is_first: bool
) -> list[_Step]:
    """Every place of the next letter with the best way to get there."""
    steps: list[_Step] = []
    reachable = iter(before)
    upcoming = next(reachable, None)
    adjacent: _Step | None = None
    far: _Step | None = None
    far_score = 0
    """What `far` is worth at `far_place`, gap counted."""
    place = lowered.find(letter)
    last_place = place
    while place >= 0:
        bonus = _bonus(path, place)
        if is_first:
            first = MATCH + bonus * FIRST_LETTER_FACTOR
            steps.append(_Step(place, first, bonus, None))
            place = lowered.find(letter, place + 1)
            continue
        far_score -= (place - last_place) * GAP_EXTENSION
        last_place = place
        while upcoming is not None and upcoming.place < place:
            if upcoming.place == place - 1:
                adjacent = upcoming
            else:
                gap = place - upcoming.place - 1
                score = upcoming.score - GAP_START - (gap - 1) * GAP_EXTENSION
                if far is None or score > far_score:
                    far, far_score = upcoming, score
            upcoming = next(reachable, None)
        chosen: _Step | None = None
        if adjacent is not None and adjacent.place == place - 1:
            run_bonus = max(adjacent.run_bonus, RUN)
            if bonus >= BOUNDARY and bonus > run_bonus:
                run_bonus = bonus
            chosen = _Step(
                place, adjacent.score + MATCH + max(run_bonus, bonus), run_bonus, adjacent
            )
        elif adjacent is not None:
            gap = place - adjacent.place - 1
            score = adjacent.score - GAP_START - (gap - 1) * GAP_EXTENSION
            if far is None or score > far_score:
                far, far_score = adjacent, score
            adjacent = None
        far_worth = max(far_score, 0) + MATCH + bonus
        if far is not None and (chosen is None or far_worth > chosen.score):
            chosen = _Step(place, far_worth, bonus, far)
        if chosen is not None:
            steps.append(chosen)
        place = lowered.find(letter, place + 1)
    return steps


def _bonus(path: str, place: int) -> int:
    """What a letter is worth for where it stands."""
    if place == 0:
        return AFTER_SLASH
    before, here = path[place - 1], path[place]
    if not here.isalnum():
        return BOUNDARY
    if before == "/":
        return AFTER_SLASH
    if not before.isalnum():
        return BOUNDARY
    if (before.islower() and here.isupper()) or (not before.isdigit() and here.isdigit()):
        return CAMEL
    return 0
