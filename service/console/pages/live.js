import { nothing, fill } from "../js/ui.js";

export const title = "Live";

export function mount(root) {
  fill(root, nothing("Soon", "This page is being built."));
}
