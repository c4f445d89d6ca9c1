"""A process that is at jobs, to be killed: `python -P -m tests.service.jobs.working DATA [DATABASE]`.

It works until a job was there and has ended; its encoder takes its time, so that there is something to interrupt.
"""

import sys
import time
from pathlib import Path

from gallery.jobs import enroll_items
from gallery.library import Library
from gallery.store import open_store
from gallery.store.jobs import jobs_page
from model.sequence import Floats
from service.jobs.lanes import Lane
from service.jobs.works import ENROLL
from tests.fakes import FakeEncoder

LEASE_S = 0.6


class SlowEncoder(FakeEncoder):
    def embed_clips(self, clips: Floats) -> Floats:
        time.sleep(0.15)
        return super().embed_clips(clips)


def main(data: str, database: str | None = None) -> None:
    store = open_store(Path(data), database=database)
    library, encoder = Library(store), SlowEncoder()
    works = {ENROLL: lambda job, hold: enroll_items(library, encoder, job, hold)}
    lane = Lane(store, works, lambda _: None, lease_s=LEASE_S, every_s=0.05)
    print("working", flush=True)
    lane.start()
    while not (found := jobs_page(store, also=None)) or found[0].finished is None:
        time.sleep(0.02)
    lane.stop()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
