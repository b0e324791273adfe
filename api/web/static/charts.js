// Charts: the timeline and what is known. Imprecise dates and missing figures are drawn as such.
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  // Beyond so many months a column is a year.
  const MOST_MONTHS = 120, FEWEST = 12;

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
  const monthOf = (text) => Number(text.slice(0, 4)) * 12 + Number(text.slice(5, 7)) - 1;
  const yearOf = (month) => String(Math.floor(month / 12)).padStart(4, "0");

  // Columns with what is known to lie in each, and what spans more than one.
  const columns = (dates) => {
    const ends = dates.flatMap((row) => [row.first_month, row.last_month]).filter(Boolean).map(monthOf);
    if (!ends.length) return null;
    let first = Math.min(...ends), last = Math.max(...ends);
    const yearly = last - first >= MOST_MONTHS;
    if (!yearly && last - first + 1 < FEWEST) {
      const spare = FEWEST - (last - first + 1);
      first -= Math.floor(spare / 2);
      last += Math.ceil(spare / 2);
    }
    const unit = (month) => (yearly ? Math.floor(month / 12) : month);
    const begin = unit(first), count = unit(last) - begin + 1;
    const found = Array.from({ length: count }, (_, place) => {
      const at = place + begin;
      const key = yearly ? String(at).padStart(4, "0") : `${yearOf(at)}-${String((at % 12) + 1).padStart(2, "0")}`;
      const name = yearly ? key : `${MONTHS[at % 12]} ${yearOf(at)}`;
      return { key, name, month: at % 12, year: yearly ? key : yearOf(at), known: 0, partly: 0, lasted: 0, perhaps: 0 };
    });
    let spanning = 0;
    for (const row of dates) {
      const from = row.first_month ? unit(monthOf(row.first_month)) - begin : 0;
      const to = row.last_month ? unit(monthOf(row.last_month)) - begin : count - 1;
      const lasting = row.precision === "interval";
      const open = !row.first_month || !row.last_month;
      if (from === to && !open) {
        found[from][row.precision === "day" || lasting ? "known" : "partly"] += row.incidents;
      } else {
        spanning += row.incidents;
        for (let place = from; place <= to; place += 1) found[place][lasting ? "lasted" : "perhaps"] += row.incidents;
      }
    }
    return { found, yearly, spanning };
  };

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

  const timeline = (into, dates, choose) => {
    const laid = columns(dates);
    into.replaceChildren();
    if (!laid) return laid;
    const { found, yearly, spanning } = laid;
    const width = Math.max(320, into.clientWidth), left = 44, right = 8;
    const most = Math.max(1, ...found.map((one) => one.known + one.partly));
    const deepest = Math.max(0, ...found.map((one) => one.lasted + one.perhaps));
    const high = 150, low = deepest ? 60 : 0, top = 12, base = top + high;
    // What spans has a scale of its own: a year-dated record stands in twelve columns.
    const up = high / most, down = deepest ? low / deepest : 0;
    const each = (width - left - right) / found.length, bar = Math.max(1, each - Math.min(3, each * 0.2));
    const height = base + low + 38;
    const chart = element("svg", {
      viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
      "aria-label": `Incidents by ${yearly ? "year" : "month"}, ${found[0].name} to ${found.at(-1).name}. The same numbers are in the table below.`,
    });
    const tick = step(most);
    for (let value = tick; value <= most; value += tick) {
      const y = base - value * up;
      chart.append(element("line", { class: "grid", x1: left, x2: width - right, y1: y, y2: y }),
        element("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, number(value)));
    }
    if (deepest) {
      chart.append(element("text", { x: left - 6, y: base + low + 4, "text-anchor": "end" }, number(deepest)),
        element("line", { class: "grid", x1: left, x2: width - right, y1: base + low, y2: base + low }));
    }
    let labelled = -Infinity;
    found.forEach((one, place) => {
      const x = left + place * each;
      const part = (name, from, tall) => {
        if (!tall) return;
        chart.append(element("rect", { class: `bar ${name}`, x, y: from, width: bar, height: tall }));
        if ((name === "partly" || name === "perhaps") && bar >= 3) chart.append(hatched(x, from, bar, tall));
      };
      part("known", base - one.known * up, one.known * up);
      part("partly", base - (one.known + one.partly) * up, one.partly * up);
      part("lasted", base, one.lasted * down);
      part("perhaps", base + one.lasted * down, one.perhaps * down);
      const middle = x + bar / 2;
      const label = yearly ? one.key : MONTHS[one.month];
      if (middle - labelled >= (yearly ? 42 : 30) && (yearly || found.length <= 24 || one.month % 3 === 0)) {
        labelled = middle;
        chart.append(element("text", { x: middle, y: height - 20, "text-anchor": "middle" }, label));
      }
      if (!yearly && (one.month === 0 || place === 0)) {
        chart.append(element("text", { x: middle, y: height - 5, "text-anchor": "middle" }, one.year));
      }
      const column = element("rect", { class: "column", x, y: top, width: each, height: base + low - top },
        element("title", {}, `${one.name}: ${says(one)}`));
      column.addEventListener("click", () => choose(one.key));
      chart.append(column);
    });
    chart.append(element("line", { class: "axis", x1: left, x2: width - right, y1: base, y2: base }));
    into.append(chart);
    return { found, yearly, spanning };
  };

  const says = (one) => {
    const parts = [];
    if (one.known) parts.push(`${number(one.known)} with the day known`);
    if (one.partly) parts.push(`${number(one.partly)} on some day of it`);
    if (one.lasted) parts.push(`${number(one.lasted)} lasted through it`);
    if (one.perhaps) parts.push(`${number(one.perhaps)} may have happened in it`);
    return parts.join(", ") || "none";
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
  window.charts = { timeline, figures, types, table, html, number, plural, says };
})();
