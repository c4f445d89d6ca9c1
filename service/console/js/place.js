// What a page shows is in its address, so that it can be sent to somebody and comes back with the browser's buttons.

/** Change parameters of the address without leaving the page; "" takes one out. */
export function remember(changes) {
  const [path, question = ""] = location.hash.split("?");
  const params = new URLSearchParams(question);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "" || value === null || value === undefined) params.delete(name);
    else params.set(name, value);
  }
  const text = params.toString();
  history.replaceState(null, "", `${path || "#/identify"}${text ? `?${text}` : ""}`);
}
