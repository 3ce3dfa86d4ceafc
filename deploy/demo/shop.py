"""A small coffee shop, with the bugs that real shops have; `app` is its WSGI application."""

from __future__ import annotations

import logging
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import catalogue
import suppliers
from environment import Demo, read_demo, start_logging
from flask import Blueprint, Flask, current_app, request
from orders import Orders
from shop_errors import ShopError, SoldOutError

import lokikit

_log = logging.getLogger("shop")
_routes = Blueprint("shop", __name__)
_SERVER_ERROR = 500

Answer = tuple[dict[str, Any], int]


def create_app(demo: Demo) -> Flask:
    """The shop as a WSGI application."""
    shop = lokikit.log_requests(Flask("shop"))
    database = demo.database or f"{tempfile.mkdtemp(prefix='lokikit-shop-')}/shop.sqlite3"
    shop.config.update(ORDERS=Orders(Path(database)), SLOW_S=demo.slow_s)
    shop.register_blueprint(_routes)
    shop.register_error_handler(ShopError, _refuse)
    return shop


def _orders() -> Orders:
    orders: Orders = current_app.config["ORDERS"]
    return orders


def _refuse(error: ShopError) -> Answer:
    level = logging.ERROR if error.status >= _SERVER_ERROR else logging.WARNING
    _log.log(level, "refused: %s", error, exc_info=error)
    return {"error": str(error)}, error.status


@_routes.get("/health")
def _health() -> Answer:
    return {"status": "ok"}, 200


@_routes.get("/")
def _catalogue() -> Answer:
    products = [{"id": one.product_id, "name": one.name} for one in catalogue.PRODUCTS.values()]
    return {"products": products}, 200


@_routes.get("/products/<int:product_id>")
def _product(product_id: int) -> Answer:
    found = catalogue.find(product_id)
    price = catalogue.price_in(found.price, request.args.get("currency", "EUR"))
    stock = found.stock
    if request.args.get("stock") == "live":
        stock = suppliers.live_stock(found, current_app.config["SLOW_S"])
    return {"id": product_id, "name": found.name, "price": str(price), "stock": stock}, 200


@_routes.post("/cart")
def _add_to_cart() -> Answer:
    wanted = request.get_json()
    product = catalogue.find(wanted["product_id"])
    if wanted["quantity"] > product.stock:
        raise SoldOutError(f"Only {product.stock} of {product.name!r} are left.")
    cart_id = _orders().add_item(wanted.get("cart_id"), product.product_id, wanted["quantity"])
    _log.info("added to cart", extra={"cart_id": cart_id, "product": product.name})
    return {"cart_id": cart_id}, 201


@_routes.post("/checkout")
def _checkout() -> Answer:
    wanted = request.get_json()
    items = _orders().items(wanted["cart_id"])
    total = sum((catalogue.find(one).price * count for one, count in items), Decimal(0))
    if coupon := wanted.get("coupon"):
        total = catalogue.discounted(total, coupon)
    suppliers.charge(total, wanted["card_token"])
    order = _orders().place(len(items), total)
    _log.info("order placed", extra={"order_id": order.order_id, "total": total})
    return {"order_id": order.order_id, "total": str(total)}, 201


@_routes.get("/orders/<order_id>")
def _order(order_id: str) -> Answer:
    order = _orders().find(order_id)
    return {"order_id": order.order_id, "items": order.items, "total": str(order.total)}, 200


start_logging("shop")
app = create_app(read_demo())
