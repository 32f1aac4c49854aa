"""How a transaction changes a table: insert, delete, update, and the way back.

Every change is in place and goes with a record in the journal. What may need memory is done first, so that a
change that fails has changed nothing. Answers: 0 done, 1 nothing to do (the row is there already), 12 a
unique index says no (`table.conflict` is its id), 15 no such row, -4 out of memory. `table.slot` is then the
row concerned.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.index_cy import Index
    from spacetimedb_engine.journal_cy import DELETE, FIRST, INSERT, UPDATE
    from spacetimedb_engine.memory import ld8, same, st8, u8p
    from spacetimedb_engine.rows_cy import CLEAN, DEAD, DELETED, INSERTED, MODIFIED
    from spacetimedb_engine.table_cy import NO_KEEPER, Table


def insert(table: Table, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
    slot: cython.longlong
    answer: cython.int = table.clash(buf, off, end, -1, NO_KEEPER)
    if answer != 0:
        return answer
    if table.enlist() != 0 or table.journal.reserve(0) != 0:
        return -4
    slot = table.rows.put(buf, off, end - off, INSERTED)
    if slot < 0:
        return -4
    if table.link(slot) != 0:
        table.rows.drop(slot)
        return -4
    table.note(INSERT | FIRST, slot, 0)
    table.slot = slot
    table.count += 1
    return 0


def delete(table: Table, slot: cython.uint) -> cython.int:
    state: cython.uint = table.rows.state(slot)
    if table.enlist() != 0 or table.journal.reserve(0) != 0:
        return -4
    table.unlink(slot)
    table.count -= 1
    if state == CLEAN or state == MODIFIED:
        table.rows.mark(slot, DELETED)
        table.note(DELETE | FIRST if state == CLEAN else DELETE, slot, 0)
        table.moved = True
    elif table.journal.pinned:
        table.rows.mark(slot, DEAD)
        table.note(DELETE, slot, 0)
    else:
        table.rows.drop(slot)
    return 0


def update(table: Table, index: cython.uint, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
    """The row with the same key in that (unique) index becomes this one. Also 1 when it was that already."""
    answer: cython.int
    slot: cython.longlong = cython.cast(Index, table.index_objs[index]).seek_row(buf, off, end)
    if slot < 0:
        return 15
    table.rows.locate(slot)
    if table.rows.end - table.rows.o == end - off and same(table.rows.p, table.rows.o, buf, off, end - off):
        table.slot = slot
        return 1
    answer = table.clash(buf, off, end, slot, index)
    if answer != 0:
        return 12
    if table.enlist() != 0:
        return -4
    table.slot = slot
    return replace(table, slot, buf, off, end)


def replace(table: Table, slot: cython.uint, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
    """New content for a live row of an enlisted table: 0 or -4."""
    state: cython.uint = table.rows.state(slot)
    kind: cython.uint = UPDATE | FIRST if state == CLEAN else UPDATE
    written: cython.bint = state == CLEAN or table.journal.pinned
    image: cython.ulonglong = 0
    table.rows.locate(slot)
    if table.journal.reserve(table.rows.fixed if table.rows.fixed >= 0 else 0) != 0:
        return -4
    mark_changed(table, table.rows.p, table.rows.o, table.rows.end, buf, off, end)
    if table.rows.fixed < 0:
        image = table.rows.locator(slot)
        if replace_blob(table, slot, buf, off, end) != 0:
            return -4
        if not written:
            table.rows.blobs.give(image)
    else:
        if written:
            image = table.journal.keep(table.rows.p, table.rows.o, table.rows.fixed)
        if replace_fixed(table, slot, buf, off) != 0:
            if written:
                table.journal.images.n = image
            return -4
    if written:
        table.note(kind, slot, image)
    if state == CLEAN:
        table.rows.mark(slot, MODIFIED)
    return 0


def replace_fixed(table: Table, slot: cython.uint, buf: u8p, off: cython.size_t) -> cython.int:
    if table.changed.n == 0:
        table.rows.overwrite(slot, buf, off)
        return 0
    table.rows.locate(slot)
    table.scratch.n = 0
    if table.scratch.append(table.rows.p, table.rows.o, table.rows.fixed) != 0:
        return -4
    unlink_changed(table, slot)
    table.rows.overwrite(slot, buf, off)
    if link_changed(table, slot) != 0:
        table.rows.overwrite(slot, table.scratch.data, 0)
        link_changed(table, slot)
        return -4
    return 0


def replace_blob(
    table: Table, slot: cython.uint, buf: u8p, off: cython.size_t, end: cython.size_t
) -> cython.int:
    old: cython.ulonglong = table.rows.locator(slot)
    new: cython.ulonglong = table.rows.blobs.put(buf, off, end - off)
    if new == 0:
        return -4
    unlink_changed(table, slot)
    table.rows.point_to(slot, new)
    if link_changed(table, slot) != 0:
        table.rows.point_to(slot, old)
        link_changed(table, slot)
        table.rows.blobs.give(new)
        return -4
    return 0


def mark_changed(
    table: Table, a: u8p, ao: cython.size_t, ae: cython.size_t, b: u8p, bo: cython.size_t, be: cython.size_t
) -> cython.uint:
    """Lists in `changed` (u8 an index) which indexes have different keys for two rows; empty when none has."""
    i: cython.uint
    n: cython.uint = 0
    table.changed.n = 0
    for i in range(table.index_count):
        if cython.cast(Index, table.index_objs[i]).key.rows_agree(a, ao, ae, b, bo, be):
            st8(table.changed.data, i, 0)
            continue
        st8(table.changed.data, i, 1)
        n += 1
        if i == table.keeper:
            table.moved = True
    if n:
        table.changed.n = table.index_count
    return n


def unlink_changed(table: Table, slot: cython.uint) -> cython.void:
    i: cython.uint
    for i in range(table.changed.n):
        if ld8(table.changed.data, i):
            cython.cast(Index, table.index_objs[i]).remove(slot)


def link_changed(table: Table, slot: cython.uint) -> cython.int:
    i: cython.uint
    for i in range(table.changed.n):
        if ld8(table.changed.data, i) and cython.cast(Index, table.index_objs[i]).add(slot) != 0:
            while i > 0:
                i -= 1
                if ld8(table.changed.data, i):
                    cython.cast(Index, table.index_objs[i]).remove(slot)
            return -4
    return 0


def undo(table: Table, kind: cython.uint, slot: cython.uint, image: cython.ulonglong) -> cython.void:
    """Takes the step of a record back; all later steps have been taken back already."""
    new: cython.ulonglong
    first: cython.bint = (kind & FIRST) != 0
    state: cython.uint = table.rows.state_now(slot)
    kind = kind & ~FIRST
    if kind == INSERT:
        if state >= INSERTED and state < DELETED:  # else: deleted again, and the slot given back
            table.unlink(slot)
            table.count -= 1
            table.rows.drop(slot)
    elif kind == DELETE:
        table.link(slot)
        table.count += 1
        table.rows.mark(slot, CLEAN if first else (INSERTED if state == DEAD else MODIFIED))
    elif table.rows.fixed >= 0:
        table.rows.locate(slot)
        mark_changed(
            table,
            table.rows.p,
            table.rows.o,
            table.rows.end,
            table.journal.images.data,
            image,
            image + table.rows.fixed,
        )
        unlink_changed(table, slot)
        table.rows.overwrite(slot, table.journal.images.data, image)
        link_changed(table, slot)
        if first:
            table.rows.mark(slot, CLEAN)
    else:
        new = table.rows.locator(slot)
        undo_blob(table, slot, new, image)
        if first:
            table.rows.mark(slot, CLEAN)


def undo_blob(table: Table, slot: cython.uint, new: cython.ulonglong, old: cython.ulonglong) -> cython.void:
    """The row's blob is `old` again."""
    p: u8p
    o: cython.size_t
    e: cython.size_t
    table.rows.locate_blob(old)
    p = table.rows.p
    o = table.rows.o
    e = table.rows.end
    table.rows.locate_blob(new)
    mark_changed(table, table.rows.p, table.rows.o, table.rows.end, p, o, e)
    unlink_changed(table, slot)
    table.rows.point_to(slot, old)
    link_changed(table, slot)
    table.rows.blobs.give(new)
