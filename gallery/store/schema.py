"""The tables. `migrations/` makes them; a test holds the two equal.

Keys are integers that are never used again (`counters` hands them out), so that what a cache remembers can vanish but
never become somebody else. `changes`, `audit` and `erasures` have keys and no names: what is erased leaves no name
behind. Whatever is of somebody's body is sealed (`gallery/keys/`): embeddings, skeletons and metadata under the data
key of their subject, data keys under a key of their gallery, these under the master key, which is not in here.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# SQLite's row id is an INTEGER; elsewhere keys are 64 bits wide. Moments are microseconds since 1970, UTC.
Key = BigInteger().with_variant(Integer, "sqlite")

# In the order of code points everywhere, whatever the database's own order is: pages are in this order.
Name = String(128).with_variant(String(128, collation="C"), "postgresql")


def _where(condition: str) -> dict[str, Any]:
    """That an index has only rows of this condition."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


counters = Table(
    "counters",
    metadata,
    # `galleries`, `subjects`, `templates`, `secrets`, `changes`, `audit`, `deliveries`
    Column("name", String(32), primary_key=True),
    Column("last", BigInteger, nullable=False),
)

# One row: who this store is. epoch counts restores, so that caches made before one are thrown away.
identity = Table(
    "identity",
    metadata,
    Column("store", String(36), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
)

galleries = Table(
    "galleries",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=False),
    Column("name", Name, nullable=False, unique=True),
    # All generations of one gallery share the id of the first: what is erased from one is erased from all.
    Column("family", Key, nullable=False),
    Column("state", String(16), nullable=False),
    Column("fingerprint", String(128), nullable=False),
    Column("dim", Integer, nullable=False),
    Column("calibration", JSON(none_as_null=True)),
    Column("vault_days", Integer),
    Column("protected", Boolean, nullable=False),
    # How many templates, and the exclusive or of their marks: what an index must agree with.
    Column("templates", BigInteger, nullable=False),
    Column("content", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
)

# Keys, each wrapped: `signing`, `gallery`, `source`, `webhook` and `job` by a master key, `transform` and `snapshot`
# by a key of their gallery.
secrets = Table(
    "secrets",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=False),
    Column("gallery_id", Key),
    Column("kind", String(16), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    # Name of a master key, or number of a secret.
    Column("wrapped_by", String(128), nullable=False),
    Column("created", BigInteger, nullable=False),
    Index("secrets_of_gallery", "gallery_id", "kind", "id"),
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=False),
    Column("gallery_id", Key, ForeignKey("galleries.id", ondelete="CASCADE"), nullable=False),
    Column("name", Name, nullable=False),
    Column("data_key", LargeBinary, nullable=False),
    Column("wrapped_by", Key, nullable=False),  # secrets.id
    Column("consent", String(256)),
    Column("purpose", String(256)),
    Column("expires", BigInteger),
    Column("hold", String(256)),
    Column("metadata", LargeBinary),  # sealed JSON
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("gallery_id", "name", name="subjects_of_gallery"),
    Index("subjects_by_expiry", "expires", **_where("expires IS NOT NULL")),
    Index("subjects_by_key", "wrapped_by"),
)

templates = Table(
    "templates",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=False),
    Column("gallery_id", Key, ForeignKey("galleries.id", ondelete="CASCADE"), nullable=False),
    Column("subject_id", Key, ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("embedding", LargeBinary, nullable=False),  # sealed float32, little-endian
    Column("mark", BigInteger, nullable=False),
    Column("fingerprint", String(128), nullable=False),
    Column("labels", JSON, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("source", String(128)),  # keyed hash of the sequence: alike in one gallery only
    # The enrolled template that a change of encoder made this one again from, in another generation of the gallery;
    # None if it was enrolled itself. Templates of one origin (their own id where it is None) are erased together.
    Column("origin", Key),
    Column("created", BigInteger, nullable=False),
    # In this order new rows come to its end: in that of the hashes each would come to another page.
    UniqueConstraint("subject_id", "source", name="templates_of_subject"),
    Index("templates_of_gallery", "gallery_id", "id"),
    # Most have none: those are left out.
    Index("templates_of_origin", "origin", **_where("origin IS NOT NULL")),
)

# Sequences as they came, for a change of encoder; only for galleries that keep them.
vault = Table(
    "vault",
    metadata,
    Column("template_id", Key, ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("skeleton", LargeBinary, nullable=False),  # sealed
    Column("expires", BigInteger, nullable=False),
    Index("vault_by_expiry", "expires"),
)

changes = Table(
    "changes",
    metadata,
    Column("seq", Key, primary_key=True, autoincrement=False),
    Column("kind", String(24), nullable=False),
    Column("gallery_id", Key, nullable=False),
    Column("subject_id", Key),
    Column("template_id", Key),
    Column("at", BigInteger, nullable=False),
    Index("changes_of_gallery", "gallery_id", "seq"),
)

# Index snapshots: files in the data directories of the processes that made them.
snapshots = Table(
    "snapshots",
    metadata,
    Column("generation", Key, primary_key=True, autoincrement=False),  # number of its key in `secrets`
    Column("gallery_id", Key, nullable=False),
    Column("seq", Key, nullable=False),
    Column("created", BigInteger, nullable=False),
    Index("snapshots_of_gallery", "gallery_id", "generation"),
)

# Append-only: each hash covers the row and the hash before it.
audit = Table(
    "audit",
    metadata,
    Column("seq", Key, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(32), nullable=False),
    Column("gallery_id", Key),
    Column("subject_id", Key),
    Column("detail", Text, nullable=False),  # canonical JSON
    Column("hash", LargeBinary, nullable=False),
)

# What was erased, and how far: `withheld` from every answer, then `destroyed` for good.
erasures = Table(
    "erasures",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("seq", Key, nullable=False),
    Column("gallery_id", Key, nullable=False),
    Column("subject_id", Key, nullable=False),
    Column("whole", Boolean, nullable=False),  # the subject, or only templates of it
    Column("templates", JSON, nullable=False),
    Column("generation", Key),  # newest snapshot that may have held them
    Column("state", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("destroyed", BigInteger),
    Index("erasures_by_state", "state"),
)

# Keys of callers. What they send is never stored: hash is SHA-256 of it, which is enough for 256 random bits.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(24), primary_key=True),  # public: in the key itself, in lists and in the audit log
    Column("name", Name, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("galleries", JSON(none_as_null=True)),  # names; null: all of them
    Column("rate", BigInteger),  # requests a minute; null: as many as there is room for
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("revoked", BigInteger),
    Column("used", BigInteger),  # about when last
    # After a rotation, the key before is good until then.
    Column("former_hash", LargeBinary),
    Column("former_until", BigInteger),
)

# Answers to requests with an Idempotency-Key, to be given again; gone with the subject that they name.
idempotency = Table(
    "idempotency",
    metadata,
    Column("caller", String(128), primary_key=True),
    Column("key", LargeBinary, primary_key=True),  # SHA-256 of what the caller sent
    Column("request", LargeBinary, nullable=False),  # SHA-256 of method, path and body
    Column("status", Integer),  # null: still under way
    Column("answer", LargeBinary),
    Column("gallery_id", Key, ForeignKey("galleries.id", ondelete="CASCADE")),
    Column("subject_id", Key, ForeignKey("subjects.id", ondelete="CASCADE")),
    Column("at", BigInteger, nullable=False),
    Index("idempotency_by_age", "at"),
)

# Long work that goes on when the process is started again. worker, lease: who is at it, and until when it is theirs.
jobs = Table(
    "jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("gallery_id", Key, ForeignKey("galleries.id", ondelete="CASCADE")),
    Column("owner", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger),
    Column("params", JSON, nullable=False),
    Column("result", JSON(none_as_null=True)),
    Column("cancel", Boolean, nullable=False),
    Column("worker", String(64)),
    Column("lease", BigInteger),
    Column("secret", Key),  # secrets.id: what its inputs are sealed under, destroyed with them
    Column("created", BigInteger, nullable=False),
    Column("finished", BigInteger),
    Index("jobs_by_state", "state", "created"),
)

# What a job has still to take in, in its order; sealed under the key of the job, and gone when it is done.
job_inputs = Table(
    "job_inputs",
    metadata,
    Column("job_id", String(36), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

# What became of what a job took in. same: the first place of the same subject in this job; subject_id: who it was, null
# when that subject is no more.
job_results = Table(
    "job_results",
    metadata,
    Column("job_id", String(36), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("same", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("template", Key),
    Column("subject_id", Key, ForeignKey("subjects.id", ondelete="SET NULL")),
    Column("reasons", JSON, nullable=False),
    Index("job_results_of_subject", "subject_id", **_where("subject_id IS NOT NULL")),
)

# Who is told of decisions. secret: secrets.id of what signs the deliveries.
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("url", Text, nullable=False),
    Column("events", JSON, nullable=False),
    Column("gallery_id", Key, ForeignKey("galleries.id", ondelete="CASCADE")),
    Column("secret", Key, nullable=False),
    Column("owner", String(128), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
)

# Told, or still to be told; gone when it was received, given up, or the subject that it names is erased.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=False),
    Column("webhook_id", String(36), ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("subject_id", Key, ForeignKey("subjects.id", ondelete="CASCADE")),
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("error", String(256)),
    Column("created", BigInteger, nullable=False),
    Index("deliveries_by_due", "due"),
    Index("deliveries_of_webhook", "webhook_id", "id"),
    Index("deliveries_of_subject", "subject_id", **_where("subject_id IS NOT NULL")),
)
