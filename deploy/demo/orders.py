"""Carts and orders in one SQLite file, so that every worker process sees the same ones."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from shop_errors import NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS items (cart_id TEXT, product_id INTEGER, quantity INTEGER);
CREATE INDEX IF NOT EXISTS items_by_cart ON items (cart_id);
CREATE TABLE IF NOT EXISTS orders (order_id TEXT PRIMARY KEY, items INTEGER, total TEXT);
"""
_KEPT = 10_000
"""Rows per table; the demo runs for weeks."""
_LOCK_TIMEOUT_S = 10


@dataclass(frozen=True)
class Order:
    """What was bought: its id, the number of articles, the sum in euros."""

    order_id: str
    items: int
    total: Decimal


class Orders:
    """The shop's carts and orders.

    Args:
        path: the SQLite file; it and its folder are made when they do not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as database:
            database.executescript(_TABLES)

    def add_item(self, cart_id: str | None, product_id: int, quantity: int) -> str:
        """Put articles into a cart, a new one when `cart_id` is `None`; its id."""
        cart_id = cart_id or str(uuid4())
        self._insert("items", (cart_id, product_id, quantity))
        return cart_id

    def items(self, cart_id: str) -> list[tuple[int, int]]:
        """The product numbers and quantities in a cart.

        Raises:
            NotFoundError: the cart is empty or does not exist.
        """
        rows = self._select("SELECT product_id, quantity FROM items WHERE cart_id = ?", cart_id)
        if not rows:
            raise NotFoundError(f"There is no cart {cart_id}.")
        return rows

    def place(self, items: int, total: Decimal) -> Order:
        """A new order."""
        order = Order(str(uuid4()), items, total)
        self._insert("orders", (order.order_id, items, str(total)))
        return order

    def find(self, order_id: str) -> Order:
        """The order of that id. A bug of the demo: an id that is no UUID is a crash.

        Raises:
            NotFoundError: there is none.
        """
        key = str(UUID(order_id))
        rows = self._select("SELECT order_id, items, total FROM orders WHERE order_id = ?", key)
        if not rows:
            raise NotFoundError(f"There is no order {order_id}.")
        return Order(rows[0][0], rows[0][1], Decimal(rows[0][2]))

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_LOCK_TIMEOUT_S)

    def _select(self, query: str, key: str) -> list[Any]:
        with closing(self._connect()) as database:
            return database.execute(query, (key,)).fetchall()

    def _insert(self, table: str, row: tuple[Any, ...]) -> None:
        marks = ", ".join("?" for _ in row)
        with closing(self._connect()) as database, database:
            done = database.execute(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608 - our own table names
            oldest = (done.lastrowid or 0) - _KEPT
            database.execute(f"DELETE FROM {table} WHERE rowid <= ?", (oldest,))  # noqa: S608 - likewise
