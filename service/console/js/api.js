// Requests to the service, relative to where the console is served: behind a proxy's prefix it works as well.
import { headers, key } from "./session.js";
import { followed } from "./sse.js";

const BASE = new URL("../", document.baseURI);

/** A refusal: the fields of the problem document (RFC 9457), and the status. Status 0: no answer came. */
export class Problem extends Error {
  constructor(status, document) {
    super(document.detail || document.title || `status ${status}`);
    Object.assign(this, document, { status });
  }

  static none() {
    return new Problem(0, {
      title: "No answer",
      detail: "The service did not answer. Is it running, and is the network there?",
    });
  }

  /** The last word of its type: "unknown-gallery". */
  get kind() {
    return String(this.type ?? "")
      .split(":")
      .pop();
  }
}

let ask = null; // asks for a key; set by the sign-in

/** Call `asking` whenever the service wants a key; it resolves to true when there is one to try. */
export function whenRefused(asking) {
  ask = asking;
}

export const addressOf = (path) => new URL(path.replace(/^\//, ""), BASE);

/** A path from its parts, each percent-encoded: path`/galleries/${name}`. */
export const path = (parts, ...values) =>
  parts.reduce(
    (made, part, place) => made + part + (place < values.length ? encodeURIComponent(values[place]) : ""),
    "",
  );

async function send(method, where, { body, json, signal, more = {}, quiet = false } = {}) {
  const options = {
    method,
    signal,
    headers: { Accept: "application/json", ...headers(), ...more },
    body,
    cache: "no-cache",
  };
  if (json !== undefined) {
    options.body = JSON.stringify(json);
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(addressOf(where), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw Problem.none();
  }
  if (answer.ok) return answer;
  const problem = new Problem(answer.status, await documentOf(answer));
  if (answer.status === 401 && ask && !quiet && (await ask())) return send(method, where, { body, json, signal, more });
  throw problem;
}

async function documentOf(answer) {
  try {
    return await answer.json();
  } catch {
    return { title: answer.statusText || `Status ${answer.status}` };
  }
}

async function read(answer) {
  if (answer.status === 204) return null;
  const kind = answer.headers.get("content-type") ?? "";
  return kind.includes("json") ? answer.json() : answer.blob();
}

const asked =
  (method) =>
  async (where, json, options = {}) =>
    read(await send(method, where, { json, ...options }));

export const api = {
  Problem,
  path,
  get: async (where, options) => read(await send("GET", where, options)),
  post: asked("POST"),
  patch: asked("PATCH"),
  del: async (where, options) => read(await send("DELETE", where, options)),
  /** form: FormData with files. */
  upload: async (where, form, options = {}) => read(await send("POST", where, { body: form, ...options })),
  /** The answer itself, for its headers or bytes. */
  raw: send,
  /** Every page of a list, one after another: for await (const page of api.pages("/galleries/x/subjects")). */
  async *pages(where, options) {
    let after = null;
    do {
      const address = new URL(where, "http://x/");
      if (after !== null) address.searchParams.set("after", after);
      const page = await api.get(address.pathname + address.search, options);
      yield page;
      after = page.next ?? null;
    } while (after !== null);
  },
  /**
   * Server-sent events, read with our header. onEvent(name, data, id); onState("open" | "lost" | "refused", problem).
   * Lost connections are taken up again after the last event seen. Returns close().
   */
  events(where, onEvent, onState = () => {}) {
    return followed(
      (signal, last) =>
        send("GET", where, {
          signal,
          more: { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) },
        }),
      onEvent,
      onState,
    );
  },
  /** A WebSocket of the service; the key goes as a subprotocol, since a browser sends no headers of ours. */
  socket(where) {
    const address = addressOf(where);
    address.protocol = address.protocol.replace("http", "ws");
    return new WebSocket(address, key() ? ["gaitkeeper", `bearer.${key()}`] : ["gaitkeeper"]);
  },
};
