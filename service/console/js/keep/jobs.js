// Long work of the service: followed until it ends.
import { api } from "../api.js";
import { words } from "../format.js";

export const ENDED = new Set(["done", "failed", "cancelled"]);

/** Resolves with a job when it is done; rejects with why it failed. progress: a <progress> that follows it. */
export function finished(job, progress = null) {
  return new Promise((resolve, reject) => {
    const close = api.events(api.path`/jobs/${job.id}/events`, (name, now) => {
      if (name !== "job") return;
      if (progress) show(progress, now);
      if (!ENDED.has(now.state)) return;
      close();
      if (now.state === "done") resolve(now);
      else reject(new api.Problem(0, { title: `The job was ${now.state}`, detail: why(now) }));
    }, (state, problem) => {
      if (state === "refused") reject(problem);
    });
  });
}

/** Why a job did not end well, in words. */
export function why({ state, result }) {
  if (result?.detail) return result.detail;
  return result?.error ? words(String(result.error).split(":").pop().replaceAll("-", " ")) : `The job was ${state}.`;
}

export function show(progress, { done, total }) {
  progress.hidden = false;
  if (total) Object.assign(progress, { max: total, value: done });
  else progress.removeAttribute("value");
}
