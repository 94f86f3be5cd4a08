/*
The first script of every page, for what browsers forbid to some. Where a browser forbids storage (cookies blocked; some do so for pages opened as files),
the mere word `localStorage` throws, and with it the theme, the search and the figures. There both storages are stood in
for by ones that last as long as the page, and the page is marked, so that whoever promised to keep something says so.
Opened as a file, the search may not read the pages that it found: it shows them without excerpts, and says why.
*/
(() => {
  "use strict";

  /** What a page may ask of a storage, kept in memory. */
  function memory() {
    const kept = new Map();
    return {
      get length() { return kept.size; },
      key: (index) => [...kept.keys()][index] ?? null,
      getItem: (key) => kept.get(String(key)) ?? null,
      setItem: (key, value) => { kept.set(String(key), String(value)); },
      removeItem: (key) => { kept.delete(String(key)); },
      clear: () => kept.clear(),
    };
  }

  const PROBE = "lsedu.probe";
  for (const name of ["localStorage", "sessionStorage"]) {
    try {
      const storage = window[name];
      storage.setItem(PROBE, "1");
      storage.getItem(PROBE);
      storage.removeItem(PROBE);
    } catch {
      Object.defineProperty(window, name, { value: memory(), configurable: true });
      document.documentElement.dataset.keeps = "nothing";
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (document.documentElement.dataset.keeps === "nothing") {
      for (const button of document.querySelectorAll(".theme-switch-button")) {
        button.title = "Light or dark, for this page only: your browser does not let this site keep anything";
      }
    }
    // Paper shows the whole code; answers stay folded.
    const folded = () => document.querySelectorAll("details.hide.above-input:not([open])");
    let opened = [];
    window.addEventListener("beforeprint", () => { opened = [...folded()]; for (const part of opened) part.open = true; });
    window.addEventListener("afterprint", () => { for (const part of opened) part.open = false; opened = []; });
    if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
      DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
      const note = document.createElement("p");
      note.textContent = "Without excerpts: these pages were opened as files, and a browser lets them read no others. "
        + "The command \u201cmake serve\u201d shows them with excerpts.";
      document.getElementById("search-results")?.before(note);
    }
  });
})();
