"""Live: a stream's people under whom they are taken for, from the first frame to the last word."""

import httpx
import msgspec
import pytest
from playwright.sync_api import Page, expect

from service import samples
from tests.console.stand import Stand


def test_without_a_stream_it_says_how_one_begins(page: Page, visit, axe, shot) -> None:
    visit("#/live")
    expect(page.get_by_role("heading", name="No stream is running")).to_be_visible()
    axe(page)
    shot(page, "live-empty")


def test_samples_play_into_a_stream_and_are_recognised(page: Page, visit, stand: Stand, axe, shot) -> None:
    visit("#/live")
    page.get_by_role("button", name="Play samples…").first.click()
    page.get_by_label("For", exact=True).select_option("10")
    axe(page)
    page.get_by_role("button", name="Play", exact=True).click()
    tracks = page.get_by_role("list", name="Tracks")
    expect(tracks.get_by_text("walker-01", exact=True)).to_be_visible(timeout=20_000)
    expect(tracks.get_by_text("walker-03", exact=True)).to_be_visible(timeout=20_000)
    expect(page.get_by_role("log", name="Decisions")).to_contain_text("walker-01")
    axe(page)
    shot(page, "live")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("status").get_by_text("ended")).to_be_visible(timeout=20_000)
    assert httpx.get(f"{stand.address}/streams").json()["streams"] == []


def test_a_cameras_stream_is_followed_while_it_runs(page: Page, visit, stand: Stand) -> None:
    path = next(path for path, _ in samples.shipped().all if path.stem == "walker-01-nm-06-054")
    sequence = msgspec.json.decode(path.read_bytes())
    frames = [
        {"people": [{"joints": joints, "confidence": confidence}]}
        for joints, confidence in zip(sequence["joints"], sequence["confidence"], strict=True)
    ]
    with httpx.Client(base_url=stand.address) as camera:
        stream = camera.post("/streams", json={"layout": "coco-17", "fps": 25}).json()["id"]
        visit(f"#/live?stream={stream}")
        expect(page.get_by_role("status").get_by_text("live", exact=True)).to_be_visible()
        camera.post(f"/streams/{stream}/frames", json={"frames": frames}).raise_for_status()
        expect(page.get_by_role("log")).to_contain_text("walker-01")
        camera.delete(f"/streams/{stream}")
    expect(page.get_by_role("status").get_by_text("ended")).to_be_visible()
    expect(page.locator(".card.over")).to_have_count(1)


def test_whoever_leaves_listens_no_more(page: Page, visit, stand: Stand) -> None:
    with httpx.Client(base_url=stand.address) as camera:
        stream = camera.post("/streams", json={"layout": "coco-17", "fps": 25}).json()["id"]
        visit(f"#/live?stream={stream}")
        expect(page.get_by_role("status").get_by_text("live", exact=True)).to_be_visible()
        assert camera.get(f"/streams/{stream}").json()["listeners"] == 1
        page.get_by_role("link", name="Identify").click()
        while camera.get(f"/streams/{stream}").json()["listeners"]:
            pass  # the connection is closed by the browser when it comes to it
        camera.delete(f"/streams/{stream}")


def test_four_at_most_walk_at_once(page: Page, visit) -> None:
    visit("#/live")
    page.get_by_role("button", name="Play samples…").first.click()
    for name in ("walk-1", "walk-2"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("5 are chosen")


@pytest.mark.parametrize("size", [1, 5])
def test_events_are_read_however_they_are_cut(page: Page, visit, size: int) -> None:
    visit("#/live")
    got = page.evaluate(
        """async (size) => {
          const { followed } = await import("/console/js/sse.js");
          const text = ": ping\\n\\nid: 7\\nevent: one\\ndata: {\\"x\\": \\"a\\"}\\n\\n" +
            "event: two\\r\\ndata: \\"b\\"\\r\\n\\r\\n";
          const bytes = new TextEncoder().encode(text);
          const got = [];
          let opened = 0;
          await new Promise((done) => {
            const close = followed(async (signal, last) => {
              if (opened++) { got.push(last); close(); done(); }
              return new Response(new ReadableStream({start(to) {
                for (let i = 0; i < bytes.length; i += size) to.enqueue(bytes.slice(i, i + size));
                to.close();
              }}));
            }, (name, data) => got.push(name, data.x ?? data), () => {});
          });
          return got;
        }""",
        size,
    )
    assert got[:5] == ["one", "a", "two", "b", "7"]
