// Our icons: 24 x 24, strokes only, in the colour of the text beside them.

const PATHS = {
  identify: "M12 4a3 3 0 1 0 0 6 3 3 0 0 0 0-6M5 20c.7-4 3.4-6 7-6M16 15a3 3 0 1 0 0 5 3 3 0 0 0 0-5M18.4 19.6 21 22",
  classify: "M4 19V5M4 19h16M8 15l3-5 3 3 5-7",
  live: "M12 12h.01M8.5 15.5a5 5 0 0 1 0-7M15.5 8.5a5 5 0 0 1 0 7M5.6 18.4a9 9 0 0 1 0-12.8M18.4 5.6a9 9 0 0 1 0 12.8",
  gallery: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  calibration: "M3 19c4 0 4-12 7-12s2 12 6 12h5M14 19c1-5 2-8 4-8s2 5 3 8",
  evaluation: "M5 20V10M10 20V4M15 20v-8M20 20v-5",
  operations: "M3 12h4l2-6 4 12 3-8 1 2h4",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  play: "M8 5.5v13l10.5-6.5z",
  pause: "M8.5 5.5v13M15.5 5.5v13",
  back: "M15.5 6 9 12l6.5 6M6 6v12",
  forward: "M8.5 6 15 12l-6.5 6M18 6v12",
  mirror: "M12 4v16M9 8l-5 4 5 4zM15 8l5 4-5 4z",
  heat: "M12 3c1 4 5 5.500 5 10a5 5 0 0 1-10 0c0-2 1-3.500 2-4 .2 1.500 1 2.300 1.800 2.300C12.500 11.300 11 7 12 3",
  trails: "M4 17c3 0 4-3 6-6M14 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6M4 12.500c1.500 0 2.500-1 3.500-2.500",
  cube: "M12 3l8 4.500v9L12 21l-8-4.500v-9zM12 12l8-4.500M12 12v9M12 12 4 7.500",
  over: "M4 4h11v11H4zM9 9h11v11H9z",
  follow: "M12 12h.01M12 3v4M12 17v4M3 12h4M17 12h4M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12",
  repeat: "M4 12a7 7 0 0 1 12-5l3 3M19 5v5h-5M20 12a7 7 0 0 1-12 5l-3-3M5 19v-5h5",
  upload: "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
  download: "M12 4v12M7 11l5 5 5-5M4 16v4h16v-4",
  warn: "M12 4 2.800 20h18.400zM12 10v4.500M12 17.300v.1",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 11v5M12 7.800v.1",
  yes: "M5 12.500l4.500 4.500L19 7.500",
  no: "M7 12h10",
  ask: "M9 9a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 17.500v.1",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.400 1.400M17.600 17.600 19 19M5 19l1.400-1.400M17.600 6.400 19 5",
  dark: "M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500",
  auto: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  key: "M3.500 12a4 4 0 1 0 8 0 4 4 0 0 0-8 0M11.500 12H21v4M17 12v3",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  keyboard: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M7 14h10",
};

/** An icon by its name; it says nothing to those who listen, the words beside it do. */
export function icon(name) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("class", "icon-drawing");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.info);
  drawing.append(path);
  return drawing;
}
