"""Keys of callers, jobs, webhooks with what they are still to be told, and answers that can be asked for again."""

from functools import partial

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
NAME = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
column = sa.Column
required = partial(sa.Column, nullable=False)
identifier = partial(sa.Column, primary_key=True, autoincrement=False)


def of(table: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.id", ondelete="CASCADE")


def upgrade() -> None:
    op.execute(sa.text("INSERT INTO counters (name, last) VALUES ('deliveries', 0)"))
    _make_callers()
    _make_jobs()
    _make_webhooks()


def _make_callers() -> None:
    op.create_table(
        "api_keys",
        identifier("id", sa.String(24)),
        required("name", NAME),
        required("hash", sa.LargeBinary),
        required("scopes", sa.JSON),
        column("galleries", sa.JSON),
        column("rate", sa.BigInteger),
        required("created", sa.BigInteger),
        column("expires", sa.BigInteger),
        column("revoked", sa.BigInteger),
        column("used", sa.BigInteger),
        column("former_hash", sa.LargeBinary),
        column("former_until", sa.BigInteger),
    )
    op.create_table(
        "idempotency",
        identifier("caller", sa.String(128)),
        identifier("key", sa.LargeBinary),
        required("request", sa.LargeBinary),
        column("status", sa.Integer),
        column("answer", sa.LargeBinary),
        column("gallery_id", KEY, of("galleries")),
        column("subject_id", KEY, of("subjects")),
        required("at", sa.BigInteger),
    )
    op.create_index("idempotency_by_age", "idempotency", ["at"])


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        identifier("id", sa.String(36)),
        required("kind", sa.String(24)),
        column("gallery_id", KEY, of("galleries")),
        required("owner", sa.String(128)),
        required("state", sa.String(16)),
        required("done", sa.BigInteger),
        column("total", sa.BigInteger),
        required("params", sa.JSON),
        column("result", sa.JSON),
        required("cancel", sa.Boolean),
        column("worker", sa.String(64)),
        column("lease", sa.BigInteger),
        column("secret", KEY),
        required("created", sa.BigInteger),
        column("finished", sa.BigInteger),
    )
    op.create_index("jobs_by_state", "jobs", ["state", "created"])
    op.create_table(
        "job_inputs",
        identifier("job_id", sa.String(36), of("jobs")),
        identifier("place", sa.Integer),
        required("content", sa.LargeBinary),
    )


def _make_webhooks() -> None:
    op.create_table(
        "webhooks",
        identifier("id", sa.String(36)),
        required("url", sa.Text),
        required("events", sa.JSON),
        column("gallery_id", KEY, of("galleries")),
        required("secret", KEY),
        required("owner", sa.String(128)),
        required("active", sa.Boolean),
        required("created", sa.BigInteger),
    )
    op.create_table(
        "deliveries",
        identifier("id", KEY),
        required("webhook_id", sa.String(36), of("webhooks")),
        column("subject_id", KEY, of("subjects")),
        required("body", sa.Text),
        required("attempts", sa.Integer),
        required("due", sa.BigInteger),
        column("error", sa.String(256)),
        required("created", sa.BigInteger),
    )
    op.create_index("deliveries_by_due", "deliveries", ["due"])


def downgrade() -> None:
    for table in ("deliveries", "webhooks", "job_inputs", "jobs", "idempotency", "api_keys"):
        op.drop_table(table)
    op.execute(sa.text("DELETE FROM counters WHERE name = 'deliveries'"))
