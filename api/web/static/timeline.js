// The timeline: columns of what is known to lie in each, and below them what spans more than one:
// a bracket from end to end, or an arrow where an end is open. A column or a range can be chosen.
"use strict";
(() => {
  const { element, hatched, number, step } = window.charts;
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  // Beyond so many months a column is a year.
  const MOST_MONTHS = 120, FEWEST = 12;
  // Rows of brackets; those with the most incidents come first.
  const MOST_LANES = 8, LANE = 15;
  const LEFT = 44, RIGHT = 8, TOP = 20, HIGH = 150;
  const monthOf = (text) => Number(text.slice(0, 4)) * 12 + Number(text.slice(5, 7)) - 1;
  const yearOf = (month) => String(Math.floor(month / 12)).padStart(4, "0");

  // The unit of a column, and the columns from the first to the last end that is known.
  const scale = (dates) => {
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
    return { found, yearly, at: (month) => unit(monthOf(month)) - begin };
  };

  // What each column holds, the spans from column to column, and the open ends at each.
  const laidOut = (dates) => {
    const scaled = scale(dates);
    if (!scaled) return null;
    const { found, yearly, at } = scaled;
    const spans = new Map(), arrows = new Map();
    let spanning = 0;
    const add = (map, key, incidents) => map.set(key, (map.get(key) ?? 0) + incidents);
    for (const { first_month: first, last_month: last, precision, incidents } of dates) {
      const lasting = precision === "interval";
      const from = first ? at(first) : 0, to = last ? at(last) : found.length - 1;
      if (first && last && from === to) {
        found[from][precision === "day" || lasting ? "known" : "partly"] += incidents;
        continue;
      }
      spanning += incidents;
      for (let place = from; place <= to; place += 1) found[place][lasting ? "lasted" : "perhaps"] += incidents;
      if (first && last) add(spans, `${from} ${to} ${lasting ? "lasted" : "perhaps"}`, incidents);
      else add(arrows, first ? `${from} after` : `${to} before`, incidents);
    }
    return { found, yearly, spanning, ...lanes(spans), arrows: [...arrows].map(([key, incidents]) => {
      const [place, side] = key.split(" ");
      return { place: Number(place), side, incidents };
    }) };
  };

  // Brackets in rows, where each finds room; what finds none is counted.
  const lanes = (spans) => {
    const brackets = [], taken = [];
    let left = 0;
    for (const [key, incidents] of [...spans].sort((one, other) => other[1] - one[1])) {
      const [from, to] = key.split(" ").slice(0, 2).map(Number);
      const free = (lane) => (taken[lane] ?? []).every((one) => one.to < from || one.from > to);
      const lane = Array.from({ length: MOST_LANES }, (_, place) => place).find(free);
      if (lane === undefined) { left += incidents; continue; }
      (taken[lane] ??= []).push({ from, to });
      brackets.push({ from, to, lane, kind: key.split(" ")[2], incidents });
    }
    return { brackets, lanes: taken.length, undrawn: left };
  };

  const says = (one) => {
    const parts = [];
    if (one.known) parts.push(`${number(one.known)} with the day known`);
    if (one.partly) parts.push(`${number(one.partly)} on some day of it`);
    if (one.lasted) parts.push(`${number(one.lasted)} lasted through it`);
    if (one.perhaps) parts.push(`${number(one.perhaps)} may have happened in it`);
    return parts.join(", ") || "none";
  };

  const line = (name, x1, y1, x2, y2) => element("line", { class: name, x1, x2, y1, y2 });
  const text = (words, x, y, anchor = "middle") => element("text", { x, y, "text-anchor": anchor }, words);

  const grid = (most, up, base, width) => {
    const drawn = [text("incidents", LEFT, 11, "start")], tick = step(most);
    for (let value = 0; value <= most; value += tick) {
      const y = base - value * up;
      drawn.push(line(value ? "grid" : "axis", LEFT, y, width - RIGHT, y), text(number(value), LEFT - 6, y + 4, "end"));
    }
    return drawn;
  };

  const bars = (one, x, bar, base, up) => {
    const drawn = [];
    const part = (name, from, tall) => {
      if (!tall) return;
      drawn.push(element("rect", { class: `bar ${name}`, x, y: from, width: bar, height: tall }));
      if (name === "partly" && bar >= 3) drawn.push(hatched(x, from, bar, tall));
    };
    part("known", base - one.known * up, one.known * up);
    part("partly", base - (one.known + one.partly) * up, one.partly * up);
    return drawn;
  };

  // Names below the columns, as many as there is room for, each with its tick.
  const names = ({ found, yearly }, each, base, bottom) => {
    const drawn = [];
    let labelled = -Infinity;
    found.forEach((one, place) => {
      const middle = LEFT + (place + 0.5) * each;
      if (middle - labelled >= (yearly ? 42 : 30) && (yearly || found.length <= 24 || one.month % 3 === 0)) {
        labelled = middle;
        drawn.push(line("axis", middle, base, middle, base + 4), text(yearly ? one.key : MONTHS[one.month], middle, bottom - 18));
      }
      if (!yearly && (one.month === 0 || place === 0)) drawn.push(text(one.year, Math.max(middle, LEFT + 12), bottom - 4));
    });
    return drawn;
  };

  const bracket = ({ from, to, lane, kind, incidents }, each, top) => {
    const x1 = LEFT + from * each + 1, x2 = LEFT + (to + 1) * each - 2, y = top + lane * LANE + 6;
    const group = element("g", { class: `bracket ${kind}` }, element("path", { d: `M${x1} ${y - 4}V${y + 4}M${x1} ${y}H${x2}M${x2} ${y - 4}V${y + 4}` }));
    if (incidents > 1 && x2 - x1 > 12 + 8 * number(incidents).length) group.append(text(number(incidents), (x1 + x2) / 2, y + 4));
    return group;
  };

  const arrow = ({ place, side, incidents }, each, top) => {
    const way = side === "before" ? -1 : 1, long = Math.min(16, Math.max(6, each - 3));
    const x = LEFT + (place + 0.5) * each - (way * long) / 2, tip = x + way * long, y = top + 5;
    const group = element("g", { class: `open ${side}` }, element("path", { d: `M${x} ${y - 4}V${y + 4}M${x} ${y}H${tip}m${-way * 4} -4l${way * 4} 4l${-way * 4} 4` }));
    if (incidents > 1 && each >= 9 * number(incidents).length) group.append(text(number(incidents), x + (way * long) / 2, y + 15));
    return group;
  };

  // Columns that are pointed at, focused, and chosen: one, or from one to another.
  const choosable = (chart, laid, each, height, choose) => {
    const { found } = laid;
    let anchor = 0, at = 0, held = false;
    const columns = found.map((one, place) => element("rect", {
      class: "column", x: LEFT + place * each, y: 0, width: each, height, role: "button", tabindex: place ? -1 : 0,
      "aria-label": `${one.name}: ${says(one)}`,
    }, element("title", {}, `${one.name}: ${says(one)}`)));
    const range = () => [Math.min(anchor, at), Math.max(anchor, at)];
    const mark = () => {
      const [from, to] = range();
      columns.forEach((column, place) => column.classList.toggle("within", anchor !== at && place >= from && place <= to));
      if (anchor !== at) window.page.announce(`${found[from].name} to ${found[to].name}`);
    };
    const go = (place, extend) => {
      columns[at].setAttribute("tabindex", -1);
      at = Math.max(0, Math.min(found.length - 1, place));
      if (!extend) anchor = at;
      columns[at].setAttribute("tabindex", 0);
      columns[at].focus({ preventScroll: true });
      mark();
    };
    const done = () => { const [from, to] = range(); choose(found[from].key, found[to].key); };
    const under = (event) => {
      const box = chart.getBoundingClientRect();
      const x = (event.clientX - box.left) * (chart.viewBox.baseVal.width / box.width);
      return Math.floor((x - LEFT) / each);
    };
    const group = element("g", {}, ...columns);
    group.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: found.length - 1 };
      if (event.key in steps) go(steps[event.key], event.shiftKey);
      else if (event.key === "Escape") { anchor = at; mark(); }
      else if (event.key === "Enter" || event.key === " ") done();
      else return;
      event.preventDefault();
    });
    group.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      held = true;
      group.setPointerCapture(event.pointerId);
      go(under(event), event.shiftKey);
    });
    group.addEventListener("pointermove", (event) => { if (held && under(event) !== at) go(under(event), true); });
    group.addEventListener("pointerup", () => { if (held) { held = false; done(); } });
    group.addEventListener("pointercancel", () => { held = false; anchor = at; mark(); });
    return group;
  };

  const timeline = (into, dates, choose) => {
    const laid = laidOut(dates);
    into.replaceChildren();
    if (!laid) return laid;
    const { found } = laid;
    const width = Math.max(280, into.clientWidth);
    const most = Math.max(1, ...found.map((one) => one.known + one.partly));
    const each = (width - LEFT - RIGHT) / found.length, bar = Math.max(1, each - Math.min(3, each * 0.2));
    const base = TOP + HIGH, up = HIGH / most;
    const sides = ["before", "after"].filter((side) => laid.arrows.some((one) => one.side === side));
    const arrowsAt = base + 12 + laid.lanes * LANE;
    const height = arrowsAt + sides.length * 24 + 38;
    const chart = element("svg", {
      viewBox: `0 0 ${width} ${height}`, width, height, role: "group",
      "aria-label": `Incidents by ${laid.yearly ? "year" : "month"}, ${found[0].name} to ${found.at(-1).name}. Arrow keys lead on, with Shift they take a range, Enter shows it. The same numbers are in the table below.`,
    });
    chart.append(element("g", { "aria-hidden": "true" }, ...grid(most, up, base, width),
      ...found.flatMap((one, place) => bars(one, LEFT + place * each, bar, base, up)),
      ...laid.brackets.map((one) => bracket(one, each, base + 12)),
      ...laid.arrows.map((one) => arrow(one, each, arrowsAt + 24 * sides.indexOf(one.side))),
      ...names(laid, each, base, height)), choosable(chart, laid, each, height - 34, choose));
    into.append(chart);
    return laid;
  };
  window.timeline = { draw: timeline };
})();
