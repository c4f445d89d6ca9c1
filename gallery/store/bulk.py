"""Many rows and many values at once, in each database's quickest way."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import count
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY

# Below this many rows COPY's round trips cost more than they save.
_COPY_ROWS = 8
_CHUNK = 2000
_streams = count()


def among(connection: Connection, column: Column[Any], values: Sequence[str] | Sequence[int]) -> ColumnElement[bool]:
    """`column IN values`, however many there are: one parameter, so that the statement is compiled once."""
    kind = connection.dialect.name
    return is_among(kind, column, literal(as_value(kind, values)))


def is_among(kind: str, column: Column[Any], values: ColumnElement[Any]) -> ColumnElement[bool]:
    """`column IN values`, of which `as_value` makes one parameter for this kind of database."""
    if kind == "sqlite":
        return column.in_(select(func.json_each(type_coerce(values, Text)).table_valued("value").c.value))
    found: ColumnElement[bool] = column == any_(type_coerce(values, ARRAY(column.type)))
    return found


def as_value(kind: str, values: Sequence[str] | Sequence[int]) -> Any:
    return json.dumps(list(values)) if kind == "sqlite" else list(values)


def pairs(kind: str) -> Select[tuple[int, str]]:
    """Pairs of a number and a text, of which `as_pairs` makes the parameters."""
    if kind == "sqlite":
        pair = func.json_each(bindparam("pairs", type_=Text)).table_valued("value").c.value
        return select(func.json_extract(pair, "$[0]"), func.json_extract(pair, "$[1]"))
    given = (bindparam("numbers", type_=ARRAY(BigInteger)), bindparam("texts", type_=ARRAY(Text)))
    found = func.unnest(*given).table_valued("number", "text").render_derived()
    return select(found.c.number, found.c.text)


def as_pairs(kind: str, values: Sequence[tuple[int, str]]) -> Mapping[str, Any]:
    if kind == "sqlite":
        return {"pairs": json.dumps(values)}
    return {"numbers": [number for number, _ in values], "texts": [text for _, text in values]}


def insert_many(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Add rows, as the driver takes their values: JSON as text, bytes, numbers, text, None."""
    if not rows:
        return
    names = ", ".join(columns)
    if connection.dialect.name == "postgresql" and len(rows) >= _COPY_ROWS:
        cursor = connection.connection.cursor()
        try:
            with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        finally:
            cursor.close()
        return
    place = "?" if connection.dialect.name == "sqlite" else "%s"
    places = ", ".join([place] * len(columns))
    # Names of our own tables and columns: nothing of a caller's is in the statement.
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({places})", [tuple(row) for row in rows])  # noqa: S608


def stream(connection: Connection, wanted: Select[Any]) -> Generator[Sequence[tuple[Any, ...]]]:
    """What a selection finds, in chunks, as the driver gives it: for so many rows that each step counts.

    To be closed by whoever does not read it to its end. Its parameters go to the driver as they are.
    """
    assert connection.in_transaction()
    compiled = wanted.compile(connection)
    given: Any = compiled.construct_params()
    if compiled.positiontup is not None:
        given = [given[name] for name in compiled.positiontup]
    driver: Any = connection.connection.driver_connection
    # A named cursor stays on the server, and binary bytes need no decoding.
    cursor = (
        driver.cursor()
        if connection.dialect.name == "sqlite"
        else driver.cursor(f"stream_{next(_streams)}", binary=True)
    )
    try:
        cursor.execute(str(compiled), given)
        while chunk := cursor.fetchmany(_CHUNK):
            yield chunk
    finally:
        cursor.close()


class Question:
    """A statement that is asked so often that SQLAlchemy's share counts: compiled once for each kind of database, and
    given to the driver. `build` makes it; the names of its `bindparam`s are those of the arguments."""

    def __init__(self, build: Callable[[str], Select[Any]]) -> None:
        self._build = build
        self._known: dict[str, tuple[str, Mapping[str, Any], Sequence[str] | None]] = {}

    def ask(self, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """All that it finds. A transaction must have begun where more than this is to be of one moment."""
        kind = connection.dialect.name
        if kind not in self._known:
            compiled = self._build(kind).compile(connection)
            self._known[kind] = (str(compiled), compiled.construct_params(_check=False), compiled.positiontup)
        statement, fixed, places = self._known[kind]
        given: Any = {**fixed, **values}
        driver: Any = connection.connection.driver_connection
        cursor = driver.cursor()
        try:
            cursor.execute(statement, given if places is None else [given[name] for name in places])
            found: list[tuple[Any, ...]] = cursor.fetchall()
        except Exception:
            if getattr(driver, "closed", False):
                connection.invalidate()
            raise
        finally:
            cursor.close()
        return found
