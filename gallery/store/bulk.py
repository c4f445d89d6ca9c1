"""Many rows and many values at once, in each database's quickest way."""

import json
from collections.abc import Generator, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, Select, Table, Text, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

# Below this many rows COPY's round trips cost more than they save.
_COPY_ROWS = 8
_CHUNK = 2000


def among(connection: Connection, column: Column[Any], values: Sequence[str] | Sequence[int]) -> ColumnElement[bool]:
    """`column IN values`, however many there are: one parameter, so that the statement is compiled once."""
    if connection.dialect.name == "sqlite":
        return column.in_(select(func.json_each(literal(json.dumps(list(values)))).table_valued("value").c.value))
    kind = Text if values and isinstance(values[0], str) else BigInteger
    found: ColumnElement[bool] = column == any_(literal(list(values), ARRAY(kind)))
    return found


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
    cursor = driver.cursor() if connection.dialect.name == "sqlite" else driver.cursor("gaitkeeper", binary=True)
    try:
        cursor.execute(str(compiled), given)
        while chunk := cursor.fetchmany(_CHUNK):
            yield chunk
    finally:
        cursor.close()
