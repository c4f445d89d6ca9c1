import { nothing, fill } from "../js/ui.js";

export const title = "Classify";

export function mount(root) {
  fill(root, nothing("Soon", "This page is being built."));
}
