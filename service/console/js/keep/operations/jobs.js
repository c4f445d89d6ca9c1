// Long work: how far it is, what came of it, and a way to end it.
import { api } from "../../api.js";
import { count, moment, words } from "../../format.js";
import { button, confirm, fill, h, inWords, table, toast } from "../../ui.js";
import { ENDED, show as follow, why } from "../jobs.js";

const EVERY_MS = 2000;
const TONES = { queued: "", running: "", done: "good", failed: "bad", cancelled: "warn" };

export async function jobsView(root) {
  const look = async () => {
    const { jobs } = await api.get("/jobs?limit=100");
    fill(root, jobTable(jobs, look));
    return jobs.some((job) => !ENDED.has(job.state));
  };
  await look();
  const turning = setInterval(() => {
    if (!document.hidden && !document.querySelector("dialog[open]")) look().catch(() => {});
  }, EVERY_MS);
  return () => clearInterval(turning);
}

function jobTable(jobs, again) {
  return table({
    caption: "Jobs", hideCaption: true, empty: ["No job yet", "Bulk enrollments, calibrations and migrations are listed here, with how far they are."],
    columns: [
      { label: "Job", row: true, render: ({ kind }) => kind },
      { key: "gallery", label: "Gallery" },
      { label: "State", render: ({ state, cancelling }) => h("span", { class: `tag ${TONES[state]}` }, cancelling ? "ending" : state) },
      { label: "Progress", render: progress },
      { label: "Came of it", render: (job) => (job.state === "failed" ? why(job) : outcome(job.result)) },
      { label: "Asked by", render: ({ owner }) => owner },
      { label: "Asked", render: ({ created }) => h("span", { class: "whole" }, moment(created)) },
      { label: h("span", { class: "only-read" }, "Cancel"), number: true, render: (job) => (ENDED.has(job.state) || job.cancelling ? "" : button("Cancel", { "aria-label": `Cancel ${job.kind} of ${job.gallery}`, onclick: () => cancel(job, again) })) },
    ],
    rows: jobs,
  });
}

function progress(job) {
  if (ENDED.has(job.state)) return "–";
  const bar = h("progress", { "aria-label": `Progress of ${job.kind}` });
  follow(bar, job);
  const text = job.total === null ? count(job.done) : `${count(job.done)} of ${count(job.total)}`;
  return h("span", { class: "row" }, bar, text);
}

/** Numbers of a result, such as how many were enrolled. */
function outcome(result) {
  const found = Object.entries(result ?? {}).filter(([, value]) => ["number", "string", "boolean"].includes(typeof value)).slice(0, 4);
  return found.length ? found.map(([name, value]) => `${words(name)} ${typeof value === "number" ? count(value) : value}`).join(", ") : "–";
}

async function cancel(job, again) {
  if (!(await confirm(`Cancel this ${job.kind} job?`, "What is done stays done; the rest is not begun.", { yes: "Cancel the job" }))) return;
  try {
    await api.del(api.path`/jobs/${job.id}`);
  } catch (problem) {
    toast(inWords(problem), { tone: "bad" });
  }
  await again();
}
