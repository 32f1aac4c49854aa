"""What to say to somebody who called a function that is not there."""

from __future__ import annotations

from collections.abc import Sequence

from spacetimedb_cli.client.databases import DatabaseRef
from spacetimedb_cli.errors import UserError
from spacetimedb_cli.schema.definition import Definition

SHOWN = 10


def no_such_function(name: str, database: DatabaseRef, definition: Definition) -> UserError:
    """Names the function with a similar name, if there is one, else the functions there are."""
    text = (
        f"No such reducer OR procedure `{name}` for database `{database.name}` "
        f"resolving to identity `{database.identity}`."
    )
    reducers, procedures = definition.named("reducer"), definition.named("procedure")
    if best := most_similar(name, reducers):
        return UserError(f"{text}\n\nA reducer with a similar name exists: `{best}`")
    if best := most_similar(name, procedures):
        return UserError(f"{text}\n\nA procedure with a similar name exists: `{best}`")
    listed = (_listing("reducer", name, reducers), _listing("procedure", name, procedures))
    return UserError("\n\n".join([text, *listed]))


def most_similar(name: str, known: Sequence[str]) -> str | None:
    """The name that was meant: the same in another case, nearly the same, or the same words in
    another order; None if nothing comes close."""
    for candidate in known:
        if candidate.casefold() == name.casefold():
            return candidate
    near = [(edit_distance(name, candidate), candidate) for candidate in known]
    allowed = max(len(name), 3) // 3
    if near and (best := min(near, key=lambda pair: pair[0]))[0] <= allowed:
        return best[1]
    words = sorted(name.split("_"))
    return next((candidate for candidate in known if sorted(candidate.split("_")) == words), None)


def edit_distance(left: str, right: str) -> int:
    """How many letters to insert, delete, replace or swap with their neighbour (each swapped pair is
    touched once) to turn one word into the other.

    >>> edit_distance("send_mesage", "send_message"), edit_distance("ab", "ba")
    (1, 1)
    """
    before_last: list[int] = []
    last = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        before_last, last = last, row
    return last[-1]


def _listing(kind: str, name: str, known: Sequence[str]) -> str:
    if not known:
        return f"The database has no {kind}s."
    nearest = sorted(known, key=lambda candidate: edit_distance(name, candidate))
    lines = [f"Here are some existing {kind}s:", *(f"- {candidate}" for candidate in nearest[:SHOWN])]
    if hidden := len(known) - SHOWN:
        lines += [f"... ({hidden} {kind}s not shown)"] if hidden > 0 else []
    return "\n".join(lines)
