"""How the columns of a data source look in answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rayline_sandbox.notion.store import DataSource, Property, Store
from rayline_sandbox.notion.values import encoded, rollup_columns, shown_columns


def schema_object(store: Store, source: DataSource) -> dict[str, Any]:
    """Return the `properties` of a data source as the connection sees them."""
    return {
        prop.name: column_object(store, source, prop)
        for prop in shown_columns(store, source)
    }


def column_object(store: Store, source: DataSource, prop: Property) -> dict[str, Any]:
    """Return one column as the schema shows it."""
    shown = SHOWN_CONFIGS.get(prop.type, _shown_plainly)(store, source, prop)
    return {
        "id": encoded(prop.id),
        "name": prop.name,
        "description": prop.description,
        "type": prop.type,
        prop.type: shown,
    }


def _shown_plainly(
    _store: Store, _source: DataSource, prop: Property
) -> dict[str, Any]:
    return prop.config


def _shown_relation(store: Store, _: DataSource, prop: Property) -> dict[str, Any]:
    target = store.data_sources[prop.config["data_source_id"]]
    kind = prop.config["type"]
    mirror = (
        target.properties.get(prop.config["synced"])
        if prop.config.get("synced")
        else None
    )
    detail = (
        {"synced_property_name": mirror.name, "synced_property_id": encoded(mirror.id)}
        if mirror
        else {}
    )
    return {
        "database_id": target.parent.id,
        "data_source_id": target.id,
        "type": kind,
        kind: detail,
    }


def _shown_rollup(store: Store, source: DataSource, prop: Property) -> dict[str, Any]:
    found = rollup_columns(store, source, prop)
    relation = source.properties.get(prop.config["relation_property_id"])
    return {
        "rollup_property_name": found[1].name if found else "",
        "relation_property_name": relation.name if relation else "",
        **prop.config,
    }


SHOWN_CONFIGS: dict[str, Callable[[Store, DataSource, Property], dict[str, Any]]] = {
    "relation": _shown_relation,
    "rollup": _shown_rollup,
}
