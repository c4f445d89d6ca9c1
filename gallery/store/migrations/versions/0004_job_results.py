"""What became of each thing that a job took in."""

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
    op.create_index("job_results_of_subject", "job_results", ["subject_id"], sqlite_where=SOME, postgresql_where=SOME)


def downgrade() -> None:
    op.drop_table("job_results")
