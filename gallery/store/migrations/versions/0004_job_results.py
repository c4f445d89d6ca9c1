"""What became of each thing that a job took in; and deliveries are found by their webhook and by whom they name."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
SOME = sa.text("subject_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "job_results",
        sa.Column("job_id", sa.String(36), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("same", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("template", KEY),
        sa.Column("subject_id", KEY, sa.ForeignKey("subjects.id", ondelete="SET NULL")),
        sa.Column("reasons", sa.JSON, nullable=False),
    )
    for table in ("job_results", "deliveries"):
        name = f"{table}_of_subject"
        op.create_index(name, table, ["subject_id"], sqlite_where=SOME, postgresql_where=SOME)
    op.create_index("deliveries_of_webhook", "deliveries", ["webhook_id", "id"])


def downgrade() -> None:
    for name in ("deliveries_of_webhook", "deliveries_of_subject"):
        op.drop_index(name, "deliveries")
    op.drop_table("job_results")
