"""Processes that start at once on an empty database: each finds its tables, none breaks."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Column, MetaData, String, Table, create_engine, inspect

from vm_ari.adapters.database_schema import Database, creating

AT_ONCE = 6
TABLES = MetaData()
for name in ("made_at_once_1", "made_at_once_2"):
    Table(name, TABLES, Column("id", String, primary_key=True), Column("x", String, index=True))


@pytest.mark.parametrize("turn", range(5))
def test_all_that_create_the_same_tables_at_once_succeed(postgres_url: str, turn: int) -> None:
    engine = create_engine(postgres_url)
    TABLES.drop_all(engine)
    ready = threading.Barrier(AT_ONCE)

    def start(_: int) -> set[str]:
        database = Database(postgres_url, connections=1, prepare=creating(TABLES))
        with database.engine.connect():  # the connection stands, so that only creating is raced
            ready.wait()
        try:
            return set(inspect(database.open()).get_table_names())
        finally:
            database.engine.dispose()

    with ThreadPoolExecutor(AT_ONCE) as workers:
        found = list(workers.map(start, range(AT_ONCE)))
    assert all(set(TABLES.tables) <= tables for tables in found)
    TABLES.drop_all(engine)
    engine.dispose()
