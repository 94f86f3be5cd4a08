/*
What the drawings of all figures share: the page's colours, the layout of a panel on a wide and on a narrow screen, and
what several of them draw: lines, points, words, the triangle of three classes and the information plane.
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

  /** Points [x, y] as a trace has them. */
  const xy = (points) => ({ x: points.map(([x]) => x), y: points.map(([, y]) => y) });

  /** A line through points; where `hover` is no text for the mouse, the mouse passes over it. */
  const line = (points, { colour, hover, width = 2.5, dash = "solid", ...more }) => ({ type: "scatter", mode: "lines", ...xy(points),
    showlegend: false, line: { color: colour, width, dash }, ...(hover ? { hovertemplate: hover } : { hoverinfo: "skip" }), ...more });

  /** Points that stand out from the lines under them, with a ring in the colour of the ground. */
  const dots = (points, { colour, theme, hover, size = 12, ring = 2, symbol = "circle" }) => ({ type: "scatter", mode: "markers",
    ...xy(points), showlegend: false, ...(hover ? { hovertext: hover, hoverinfo: "text" } : { hoverinfo: "skip" }),
    marker: { size, color: colour, symbol, ...(ring ? { line: { color: theme.paper, width: ring } } : {}) } });

  /** Words at a point of a drawing; `place` moves them from it (xshift, yshift, xanchor, yanchor). */
  const note = (text, [x, y], { colour, size = 12, ...place } = {}) => ({ x, y, text, showarrow: false, ...place,
    ...(colour ? { font: { color: colour, size } } : {}) });

  /** Three classes on a triangle: the label on top, class 2 left, class 3 right. */
  const CORNERS = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  const triangle = {
    place: (q) => [q[2] + q[0] / 2, (q[0] * Math.sqrt(3)) / 2],
    outline: (theme) => line([...CORNERS, CORNERS[0]].map(triangle.place), { colour: theme.muted, width: 1.5 }),
    names: () => ["label", "class 2", "class 3"]
      .map((text, k) => note(text, triangle.place(CORNERS[k]), { xshift: 0, yshift: k ? -14 : 12 })),
    /** The layout of its panel; `room` is left free beside it. */
    panel: (room) => ({ height: 360, margin: { l: 12, r: 12, t: 36, b: 26 }, slim: { l: 8, r: 8, b: 18 },
      xaxis: { visible: false, range: [-room, 1 + room] }, yaxis: { visible: false, range: [-0.08, 0.98], scaleanchor: "x" } }),
  };

  /** An information plane of up to two bits: its border, the word at it, and its axes. */
  const plane = {
    border: (theme, dash) => line([[0, 0], [2, 2]], { colour: theme.muted, width: 1.5, dash }),
    word: (theme, at, place) => note("I(Y;Z) = I(X;Z)", [at, at], { colour: theme.muted, xanchor: "right", yshift: 8, ...place }),
    axes: (unit = "", x = {}, y = {}) => ({ xaxis: { title: { text: `I(X;Z)${unit}`, standoff: 4 }, ...x },
      yaxis: { title: { text: `I(Y;Z)${unit}` }, ...y } }),
  };

  lsedu.layout = { NARROW, baseLayout, dots, fit, line, note, plane, readTheme, slim, triangle, xy };
})();
