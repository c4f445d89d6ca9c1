// Files and folders dropped anywhere on a page. Pose estimators write a folder with a file for each frame.

const MOST = 20000;

/** onFiles(files): all that was dropped, those in folders too. Returns a function that ends it. */
export function dropping(onFiles) {
  const mark = (over) => {
    for (const each of document.querySelectorAll(".drop")) each.toggleAttribute("data-over", over);
  };
  const listeners = {
    dragover(event) {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      mark(true);
    },
    dragleave(event) {
      if (!event.relatedTarget) mark(false);
    },
    async drop(event) {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      mark(false);
      const files = await filesOf(event.dataTransfer);
      if (files.length) onFiles(files);
    },
  };
  for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener);
  };
}

/** Entries must be taken before anything is waited for: afterwards the transfer is empty. */
async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return [...transfer.files];
  const found = [];
  for (const entry of entries) if (entry) await gather(entry, found);
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

async function gather(entry, found) {
  if (found.length >= MOST || entry.name.startsWith(".")) return;
  if (entry.isFile) {
    found.push(await new Promise((done, wrong) => entry.file(done, wrong)));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader gives a hundred at a time, and nothing at the end.
    const some = await new Promise((done, wrong) => reader.readEntries(done, wrong));
    if (!some.length) return;
    for (const each of some) await gather(each, found);
  }
}
