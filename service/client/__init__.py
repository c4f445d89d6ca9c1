"""A client of the service, in Python: `from service.client import GaitkeeperClient`.

It needs httpx, msgspec and numpy, and nothing of what answers: neither models nor an index.
"""

from service.client.answers import Candidate, Classification, Decision, Embedding, Enrolled, Erased, Problem
from service.client.client import GaitkeeperClient
from service.client.sequence import Sequence
from service.client.signature import verify_signature
from service.client.wire import Refused, Unreachable

__all__ = [
    "Candidate",
    "Classification",
    "Decision",
    "Embedding",
    "Enrolled",
    "Erased",
    "GaitkeeperClient",
    "Problem",
    "Refused",
    "Sequence",
    "Unreachable",
    "verify_signature",
]
