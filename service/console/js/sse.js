// Server-sent events by fetch: EventSource cannot send a header, and a key must not be in an address.

const LONGEST_WAIT_MS = 15000;

/** open(signal, lastId) → Response. Returns close(). Lost connections are taken up again; a refusal (4xx) is not. */
export function followed(open, onEvent, onState) {
  const ending = new AbortController();
  let last = "";
  (async () => {
    for (let wait = 500; !ending.signal.aborted; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      try {
        const answer = await open(ending.signal, last);
        onState("open");
        wait = 250;
        for await (const event of eventsOf(answer.body, ending.signal)) {
          last = event.id || last;
          onEvent(event.name, event.data, event.id);
        }
        if (!ending.signal.aborted) onState("lost");
      } catch (error) {
        if (ending.signal.aborted) return;
        if (error.status >= 400 && error.status < 500 && error.status !== 429) return onState("refused", error);
        onState("lost", error);
      }
      await delay(wait, ending.signal);
    }
  })();
  return () => ending.abort();
}

async function* eventsOf(stream, signal) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  signal.addEventListener("abort", () => reader.cancel().catch(() => {}));
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (text + value).replaceAll("\r\n", "\n").split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const event = parse(part);
      if (event) yield event;
    }
  }
}

/** One event, its data decoded from JSON where it is JSON; null for a comment. */
export function parse(part) {
  const event = { name: "message", data: "", id: "" };
  const data = [];
  for (const line of part.split("\n")) {
    const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === "data") data.push(value);
    else if (name === "event") event.name = value;
    else if (name === "id") event.id = value;
  }
  if (!data.length) return null;
  try {
    event.data = JSON.parse(data.join("\n"));
  } catch {
    event.data = data.join("\n");
  }
  return event;
}

const delay = (ms, signal) =>
  new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
