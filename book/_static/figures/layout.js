/*
What the drawings of all figures share: the page's colours, and the layout of a panel on a wide and on a narrow screen.
*/
(() => {
  "use strict";

  /** The colours of the page as it is now, by meaning: all that the table of colours has (lsedu/plots/colours.py). */
  function readTheme(element) {
    const style = getComputedStyle(element);
    const value = (name) => style.getPropertyValue(`--figure-${name}`).trim();
    return new Proxy({}, { get(_, name) {
      const colour = value(name);
      if (!colour) throw new Error(`no colour means ${name}: see colours.css`);
      return colour;
    } });
  }

  /** What all panels share; a panel's own layout goes on top. */
  function baseLayout(theme, layout) {
    const axis = {
      color: theme.text, gridcolor: theme.grid, linecolor: theme.muted, zeroline: false, ticks: "outside",
      tickcolor: theme.muted, automargin: true, fixedrange: true,
    };
    const merged = {
      autosize: true, height: 320, margin: { l: 52, r: 14, t: 36, b: 46 }, paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)", font: { color: theme.text, size: 13, family: "inherit" }, showlegend: false,
      hovermode: "closest", dragmode: false, ...layout,
    };
    delete merged.slim;
    delete merged.narrow;
    if (typeof merged.title === "string") merged.title = { text: merged.title, x: 0, xref: "paper", font: { size: 14 } };
    for (const key of Object.keys(merged)) {
      if (/^[xy]axis\d*$/.test(key)) merged[key] = { ...axis, ...merged[key] };
    }
    return merged;
  }

  /** Below this width panels stand on top of each other, and all of them have this height together. */
  const NARROW = 560;
  const TALL = 470;
  const SEALED = 64;

  /** The heights of panels on a narrow screen: two halves share a row, and what is sealed is a line of words. */
  function fit(panels, shut) {
    const open = panels.filter((_, i) => !shut[i]);
    const rows = open.reduce((sum, { layout, half }) => sum + layout.height * (half ? 0.5 : 1), 0);
    return panels.map(({ layout: { height, narrow } }, i) => {
      if (shut[i]) return SEALED;
      return narrow ?? Math.min(height, Math.floor((TALL * height) / rows));
    });
  }

  /** A layout with the margins that a narrow screen can spare. */
  const slim = (layout, height) => ({ ...layout, height, margin: { l: 44, r: 8, t: 28, b: 38, ...layout.slim } });

  lsedu.layout = { NARROW, baseLayout, fit, readTheme, slim };
})();
