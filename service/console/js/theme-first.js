// Not a module, so that it runs before the first paint: a chosen theme must not flash the other one.
try {
  const chosen = localStorage.getItem("gaitkeeper.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  /* storage is forbidden: the system's theme holds */
}
