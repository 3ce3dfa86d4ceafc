"""Make the table of the stock."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make it."""
    op.create_table("stock", sa.Column("id", sa.Integer, primary_key=True))
