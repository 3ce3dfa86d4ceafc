"""What the shop sells, and for how much."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from shop_errors import NotFoundError


@dataclass(frozen=True)
class Product:
    """One article.

    Args:
        product_id: its number in the catalogue.
        name: what the customer reads.
        price: in euros.
        stock: how many the shop has on its shelf.
        warehouse: where more of them lie.
    """

    product_id: int
    name: str
    price: Decimal
    stock: int
    warehouse: str = "Hamburg"


PRODUCTS = {
    product.product_id: product
    for product in (
        Product(1, "Filter coffee, Ethiopia Guji, 500 g", Decimal("14.90"), 120),
        Product(2, "Espresso blend No. 4, 1 kg", Decimal("23.50"), 80),
        Product(3, "Hand grinder, steel burrs", Decimal("89.00"), 14),
        Product(4, "Gooseneck kettle, 0.9 l", Decimal("64.00"), 22, "Antwerp"),
        Product(5, "Paper filters, 100 pieces", Decimal("5.20"), 640),
        Product(6, "Milk jug, 350 ml", Decimal("18.75"), 35, "Antwerp"),
        Product(7, "Teapot, hand-thrown, blue glaze", Decimal("48.00"), 0),
        Product(8, "Sencha, first flush, 100 g", Decimal("16.40"), 51, "Yokohama"),
    )
}

_EUROS_IN = {"EUR": Decimal(1), "USD": Decimal("1.09"), "GBP": Decimal("0.85")}


def find(product_id: int) -> Product:
    """The product of that number.

    Raises:
        NotFoundError: there is none.
    """
    try:
        return PRODUCTS[product_id]
    except KeyError as error:
        raise NotFoundError(f"There is no product {product_id}.") from error


def price_in(price: Decimal, currency: str) -> Decimal:
    """The price in another currency. A bug of the demo: nobody checks the currency."""
    return round(price * _EUROS_IN[currency], 2)


def discounted(price: Decimal, coupon: str) -> Decimal:
    """The price less what `SAVE10` saves: 10 %. A bug of the demo: nobody checks the coupon."""
    try:
        percent = Decimal(coupon.removeprefix("SAVE"))
    except ArithmeticError as error:
        raise RuntimeError(f"coupon {coupon} has no discount") from error
    return round(price * (100 - percent) / 100, 2)
