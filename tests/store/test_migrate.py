from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, inspect, text

from hanok.store import migrate
from hanok.store.database import Database
from hanok.store.identity_tables import metadata as identity_metadata
from hanok.store.migrate import IDENTITY, REGION, Schema, StateTooNew
from hanok.store.region_tables import metadata as region_metadata

SERVER = (
    "INSERT INTO servers (id, project_id, user_id, name, flavor_id, availability_zone, vm_state,"
    " power_state, generation, vcpus, ram_mib, root_gib, ephemeral_gib, config_drive, metadata,"
    " image_metadata, reservation_id, created_at, updated_at)"
    " VALUES ('{id}', 'p', 'u', 'n', 'f', '', '{state}', 0, 0, 1, 1, 1, 0, '', '{{}}', '{{}}', 'r',"
    " 5, 6)"
)


@pytest.fixture
def database(each_database_url: str) -> Iterator[Database]:
    one = Database(each_database_url, schema="hanok_test")
    yield one
    one.close()


def shape(database: Database) -> dict[str, set[str]]:
    """Every table's columns, indexes and constraints, as the database tells them."""
    schema = None if database.is_sqlite else database.schema
    inspector = inspect(database.engine)
    found = {}
    for table in inspector.get_table_names(schema=schema):
        if table == "alembic_version":
            continue
        parts = {f"{c['name']} {c['nullable']}" for c in inspector.get_columns(table, schema)}
        parts |= {f"ix {i['name']} {i['unique']}" for i in inspector.get_indexes(table, schema)}
        parts |= {
            f"fk {f['constrained_columns']} {f['referred_table']} {f['options'].get('ondelete')}"
            for f in inspector.get_foreign_keys(table, schema)
        }
        parts |= {
            f"uq {sorted(u['column_names'])}"
            for u in inspector.get_unique_constraints(table, schema)
        }
        found[table] = parts
    return found


@pytest.mark.parametrize(
    ("schema", "metadata"), [(REGION, region_metadata), (IDENTITY, identity_metadata)]
)
def test_migrations_make_what_the_tables_say(
    database: Database, schema: Schema, metadata: MetaData
) -> None:
    assert migrate.prepare(database, schema) == "made"
    migrated = shape(database)
    migrate.downgrade(database, schema, "base")
    assert shape(database) == {}
    metadata.create_all(database.engine)
    assert shape(database) == migrated


@pytest.mark.parametrize("schema", [REGION, IDENTITY])
def test_up_down_and_up_again(database: Database, schema: Schema) -> None:
    migrate.prepare(database, schema)
    there = shape(database)
    for revision in (*reversed(schema.known[:-1]), "base"):
        migrate.downgrade(database, schema, revision)
    migrate.upgrade(database, schema)
    assert shape(database) == there
    assert migrate.prepare(database, schema) == "current"


def test_data_survives_a_step_down_and_up(database: Database) -> None:
    migrate.prepare(database, REGION)
    migrate.downgrade(database, REGION, "0003")
    with database.write() as tx:
        tx.run(text(SERVER.format(id="made", state="active")))
        tx.run(text(SERVER.format(id="not-yet", state="building")))
        tx.run(
            text(
                "INSERT INTO hosts (id, name, driver, accel, state, vcpus, ram_mib, disk_gib,"
                " used_vcpus, used_ram_mib, used_disk_gib, seen_at)"
                " VALUES ('h', 'h', 'd', 'a', 'up', 1, 1, 1, 0, 0, 0, 1)"
            )
        )
        tx.run(text("INSERT INTO claims VALUES ('made', 'h', 1, 1, 1)"))
    assert migrate.prepare(database, REGION) == "migrated"
    with database.read() as reader:
        events = reader.rows(text("SELECT server_id, at, name, detail FROM server_events"))
        claims = reader.scalar(text("SELECT count(*) FROM claims"))
    assert [tuple(event) for event in events] == [("made", 5, "created", "{}")]
    assert claims == 1


def test_an_older_sqlite_store_is_backed_up_first(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url, schema="hanok_test")
    migrate.prepare(database, REGION)
    migrate.downgrade(database, REGION, "0002")
    assert migrate.prepare(database, REGION) == "migrated"
    database.close()
    [backup] = tmp_path.glob("*.bak")
    assert backup.stat().st_mode & 0o777 == 0o600
    old = Database(f"sqlite:///{backup}", schema="hanok_test")
    assert migrate.revision(old) == "0002"
    old.close()


def test_a_newer_store_is_refused_in_a_sentence(database: Database) -> None:
    migrate.prepare(database, REGION)
    with database.write() as tx:
        tx.run(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StateTooNew, match=r"revision 9999.*newer release"):
        migrate.prepare(database, REGION)
