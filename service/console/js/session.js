// The key of this tab. It lives in sessionStorage: it ends with the tab, and no other page of the machine sees it.

const NAME = "gaitkeeper.key";

export const key = () => {
  try {
    return sessionStorage.getItem(NAME) ?? "";
  } catch {
    return held;
  }
};

let held = ""; // where storage is forbidden, the key lasts as long as the page

export function keep(value) {
  held = value;
  try {
    if (value) sessionStorage.setItem(NAME, value);
    else sessionStorage.removeItem(NAME);
  } catch {
    /* held is enough */
  }
}

/** Headers that say who asks. */
export const headers = () => (key() ? { Authorization: `Bearer ${key()}` } : {});
