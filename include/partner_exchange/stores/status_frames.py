"""The answer of a query as a data frame by COPY, without a Python loop over rows.

Called by the modules of statuses where answers have hundreds of thousands of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

import pandas as pd
import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv
from sqlalchemy import Connection


def read_frame(
    connection: Connection,
    query: LiteralString,
    parameters: Mapping[str, object],
    types: Mapping[str, pa.DataType],
) -> pd.DataFrame:
    """Return the rows of a query in plain pandas dtypes; a null number is NaN.

    :param query: with ``{name}`` for each parameter; its columns are those of ``types``, in order.
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("COPY needs a connection of psycopg 3")
    # COPY takes no parameters: psycopg writes them into the statement as literals.
    filled = sql.SQL(query).format(**{name: sql.Literal(value) for name, value in parameters.items()})
    with (
        driver.cursor() as cursor,
        cursor.copy(sql.SQL("copy ({}) to stdout (format csv)").format(filled)) as rows,
    ):
        content = b"".join(bytes(block) for block in rows)
    schema = pa.schema(list(types.items()))
    if not content:
        empty: pd.DataFrame = schema.empty_table().to_pandas()
        return empty
    read = csv.ReadOptions(column_names=list(types))
    parse = csv.ParseOptions(newlines_in_values=True)
    convert = csv.ConvertOptions(
        column_types={
            name: pa.int64() if pa.types.is_timestamp(kind) else kind for name, kind in types.items()
        },
        strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    frame: pd.DataFrame = (
        csv.read_csv(pa.BufferReader(content), read, parse, convert).cast(schema).to_pandas()
    )
    return frame
