"""Galleries, subjects, templates and the log of changes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "galleries",
        sa.Column("id", key, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(128), nullable=False, unique=True),
        sa.Column("fingerprint", sa.String(128), nullable=False),
        sa.Column("dim", sa.Integer, nullable=False),
        sa.Column("calibration", sa.JSON(none_as_null=True)),
        sa.Column("created", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "subjects",
        sa.Column("id", key, primary_key=True, autoincrement=True),
        sa.Column("gallery_id", key, sa.ForeignKey("galleries.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("gallery_id", "name", name="subjects_of_gallery"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "templates",
        sa.Column("id", key, primary_key=True, autoincrement=True),
        sa.Column("gallery_id", key, sa.ForeignKey("galleries.id", ondelete="CASCADE"), nullable=False),
        sa.Column("subject_id", key, sa.ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.Column("fingerprint", sa.String(128), nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("source", sa.String(128)),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("source", "subject_id", name="templates_of_source"),
        sqlite_autoincrement=True,
    )
    op.create_index("templates_of_gallery", "templates", ["gallery_id", "id"])
    op.create_index("templates_of_subject", "templates", ["subject_id", "id"])
    op.create_table(
        "changes",
        sa.Column("seq", key, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("gallery_id", key, nullable=False),
        sa.Column("subject_id", key),
        sa.Column("template_id", key),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("changes_of_gallery", "changes", ["gallery_id", "seq"])


def downgrade() -> None:
    for table in ("changes", "templates", "subjects", "galleries"):
        op.drop_table(table)
