"""The tables. `migrations/` makes them; a test holds the two equal.

Keys are integers that are never used again (AUTOINCREMENT), so that what a cache remembers can vanish but never
become somebody else. `changes` has keys and no names: what is erased leaves no name behind.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

# SQLite increments nothing but an INTEGER; elsewhere keys are 64 bits wide.
Key = BigInteger().with_variant(Integer, "sqlite")

galleries = Table(
    "galleries",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("name", String(128), nullable=False, unique=True),
    Column("fingerprint", String(128), nullable=False),
    Column("dim", Integer, nullable=False),
    Column("calibration", JSON(none_as_null=True)),
    Column("created", BigInteger, nullable=False),  # microseconds since 1970, UTC
    sqlite_autoincrement=True,
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("gallery_id", Key, ForeignKey("galleries.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(128), nullable=False),
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("gallery_id", "name", name="subjects_of_gallery"),
    sqlite_autoincrement=True,
)

templates = Table(
    "templates",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("gallery_id", Key, ForeignKey("galleries.id", ondelete="CASCADE"), nullable=False),
    Column("subject_id", Key, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("embedding", LargeBinary, nullable=False),  # float32, little-endian
    Column("fingerprint", String(128), nullable=False),
    Column("labels", JSON, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("source", String(128)),
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("source", "subject_id", name="templates_of_source"),
    Index("templates_of_subject", "subject_id", "id"),
    Index("templates_of_gallery", "gallery_id", "id"),
    sqlite_autoincrement=True,
)

changes = Table(
    "changes",
    metadata,
    Column("seq", Key, primary_key=True, autoincrement=True),
    Column("kind", String(24), nullable=False),
    Column("gallery_id", Key, nullable=False),
    Column("subject_id", Key),
    Column("template_id", Key),
    Column("at", BigInteger, nullable=False),
    Index("changes_of_gallery", "gallery_id", "seq"),
    sqlite_autoincrement=True,
)
