// Charts: what is known, and what every drawing and table is made of. Missing figures are drawn too.
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const html = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "class") made.className = value;
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };
  // Whole numbers in groups of three. The browser's own formatter takes longer to make than a chart.
  const number = (value) => String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
  const plural = (value, one = "incident", many = "incidents") => `${number(value)} ${value === 1 ? one : many}`;
  // Ticks are whole numbers, four at most.
  const step = (most) => {
    for (let size = 1; ; size *= 10) for (const factor of [1, 2, 5]) if (most / (size * factor) <= 4) return size * factor;
  };

  const hatched = (x, y, width, height) => {
    let path = "";
    for (let offset = 5; offset < width + height; offset += 5) {
      const fromX = Math.min(offset, width), fromY = Math.max(0, offset - width);
      const toX = Math.max(0, offset - height), toY = Math.min(offset, height);
      path += `M${x + fromX} ${y + fromY}L${x + toX} ${y + toY}`;
    }
    return element("path", { class: "hatch", d: path });
  };

  const table = (caption, head, rows) =>
    html("table", { class: "numbers" }, html("caption", { class: "unseen" }, caption),
      html("thead", {}, html("tr", {}, ...head.map((text) => html("th", { scope: "col" }, text)))),
      html("tbody", {}, ...rows.map(([first, ...others]) =>
        html("tr", {}, html("th", { scope: "row" }, first), ...others.map((cell) => html("td", {}, cell))))));

  const NAMES = { arrests: "Arrests", injuries: "Injuries", deaths: "Deaths", participants: "Participants", injuries_police: "Officers injured" };
  const measure = (name, parts, text) => {
    const track = html("div", { class: "track", "aria-hidden": "true" });
    for (const [kind, share] of parts) {
      const piece = html("span", { class: kind });
      piece.style.width = `${100 * share}%`;
      track.append(piece);
    }
    return html("div", { class: "measure" }, html("span", {}, name), track, html("span", { class: "said" }, text));
  };
  const figures = (into, overview) => {
    const total = Math.max(1, overview.incidents);
    into.replaceChildren(...Object.entries(overview.figures).map(([name, one]) => measure(
      NAMES[name] ?? name, [["exact", one.exact / total], ["bounded", one.bounded / total]],
      `exact in ${number(one.exact)}, within bounds in ${number(one.bounded)}, not reported in ${number(one.not_reported)}`,
    )));
  };
  const types = (into, overview, labels) => {
    const counts = new Map(overview.types.map((row) => [row.type, row.incidents]));
    const most = Math.max(1, ...counts.values());
    into.replaceChildren(...[...labels].filter(([id]) => counts.has(id)).map(([id, name]) =>
      measure(name, [["exact", counts.get(id) / most]], number(counts.get(id)))));
  };
  window.charts = { element, figures, hatched, html, number, plural, step, table, types };
})();
