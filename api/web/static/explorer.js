// The explorer: one state, the address. The list comes from the server as it stands in the page;
// map, timeline and plots are drawn from the overview of the same query, the map once it is in sight.
"use strict";
(() => {
  const { announce, loaded, localise, painted, pause } = window.page;
  const { html, number, plural, table } = window.charts;
  const { inTime, lane, settle, tell } = window.requests;
  const byId = (id) => document.getElementById(id);
  const form = byId("filters"), views = byId("views"), content = byId("content");
  // Where the pages begin: below the path of another site, or at its root.
  const { base } = document.documentElement.dataset;
  const CONTROLS = ["cursor", "start", "sort", "limit"];
  const PIECES = ["chosen", "results", "take"];
  // Of the places, so many stand in the table.
  const PATIENCE = 350, MOST_ROWS = 500;
  // The map counts as seen once it reaches above the lowest tenth of the window.
  const SIGHT = "0px 0px -10% 0px";
  const MEANING = {
    exact: "at this spot", venue: "at this venue", city: "somewhere in the city",
    admin1: "somewhere in the region", country: "somewhere in the country",
  };
  const askPage = lane(), askOverview = lane(), askArea = lane();
  let overview = null, laid = null, asked = 0, shownAt = location.pathname + location.search;

  const query = (search = location.search, without = CONTROLS) => {
    const found = new URLSearchParams(search);
    for (const name of without) found.delete(name);
    return found;
  };
  // As the server writes it, so that one view has one address.
  const written = (parameters) => parameters.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  const address = (parameters, path = base) => (written(parameters) ? `${path}?${written(parameters)}` : path);
  const overviewOf = (parameters) => address(parameters, `${base}api/v1/overview`);
  const narrowed = (changes) => {
    const found = query(location.search, ["cursor", "start", "limit"]);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) found.delete(name);
      else found.set(name, value);
    }
    return found;
  };
  // Whether the query is still the one that it was.
  const still = (turn = asked) => () => turn === asked;

  const isPage = (answer) => (answer.ok || answer.status === 422) && answer.headers.get("Content-Type")?.startsWith("text/html");
  const show = async (target, options = {}) => {
    asked += 1;
    askOverview.stop();
    askArea.stop();
    byId("results").setAttribute("aria-busy", "true");
    settle("list");
    settle("overview");
    try {
      const answer = await askPage(target, { accept: "text/html", good: isPage });
      if (answer) await place(new DOMParser().parseFromString(answer.body, "text/html"), new URL(answer.url), options);
    } catch (error) {
      if (!(error instanceof window.requests.Failure)) throw error;
      // What is shown is of another query: it goes, so that nothing stands beside filters that it is not of.
      byId("results").removeAttribute("aria-busy");
      content.classList.add("lost");
      tell("list", `The incidents that fit these filters could not be had: ${error.message}.`, () => show(target, options));
    }
  };

  // Put what the server answered in place of what was there.
  const place = async (shown, url, { push = true, focus = null, fit = true, follows = false, typed = null }) => {
    const target = url.pathname + url.search;
    if (push && target !== location.pathname + location.search) history.pushState({ leadsBack: follows, typed }, "", target);
    shownAt = target;
    document.title = shown.title;
    content.classList.remove("lost");
    for (const id of PIECES) byId(id).replaceWith(document.adoptNode(shown.getElementById(id)));
    document.querySelector(".problem")?.remove();
    const problem = shown.querySelector(".problem");
    if (problem) form.after(document.adoptNode(problem));
    window.finding.adopt(shown.getElementById("filters"), history.state?.typed, !push);
    localise(byId("take"));
    namePrevious();
    if (problem) {
      if (focus) form.querySelector("[aria-invalid]")?.focus();
      return;
    }
    if (focus) byId(focus).focus();
    announce(byId("results-heading").textContent);
    await look({ fit });
  };
  // From a page that was reached by "Next page", the one before it is a step back.
  const namePrevious = () => {
    const link = document.querySelector(".paging .previous");
    if (link && history.state?.leadsBack) link.textContent = "Previous page";
  };

  const cityOf = (one) => ({ city: one.city.replaceAll(/,(?! )/g, " "), country: one.country });
  const describe = (one) => {
    const name = one.city ?? "Point";
    const box = [one.longitude - 0.0001, one.latitude - 0.0001, one.longitude + 0.0001, one.latitude + 0.0001];
    const changes = one.city && one.geo_precision !== "exact" && one.geo_precision !== "venue"
      ? cityOf(one) : { bbox: box.map((x) => x.toFixed(4)).join(",") };
    const link = html("a", { href: address(narrowed(changes)) }, `Show ${one.incidents === 1 ? "it" : "them"}`);
    link.addEventListener("click", (event) => { event.preventDefault(); show(link.href, { focus: "results-heading" }); });
    return html("div", {}, html("strong", {}, html("bdi", {}, name), `, ${one.country}`), html("br"), `${plural(one.incidents)}, ${MEANING[one.geo_precision]}`, html("br"), link);
  };

  // The map and all that it takes come once some of it is in sight.
  let world = null, coming = null, inSight = false;
  const { borders, style, leaflet, topology, clusters, maps: drawing, finer, names } = byId("map").dataset;
  const json = async (address) => (await fetch(address)).json();
  const parts = () => (coming ??= inTime(Promise.all([json(borders), ...[style, leaflet, topology, clusters, drawing].map(loaded)])));
  // Where the address says that the map stands: zoom, latitude and longitude.
  const position = () => /^#map=([\d.]+)\/(-?[\d.]+)\/(-?[\d.]+)$/.exec(location.hash)?.slice(1).map(Number);
  const map = async ({ fit, current }) => {
    let found;
    try {
      [found] = await parts();
    } catch (error) {
      coming = null;
      tell("map", `The map could not be had: ${error.message}. The places are in the table below it.`, () => map({ fit: true, current: still() }));
      return;
    }
    settle("map");
    await pause();
    if (!current()) return;
    if (!world) {
      world = maps.make(byId("map"), { borders: found, describe });
      if (position()) world.place(position());
      else world.fit(overview.places);
      world.onMove(moved);
      world.map.on("moveend", refine);
      await world.landed;
      refine();
    } else {
      world.map.invalidateSize();
      world.map.closePopup();
      if (fit) world.fit(overview.places);
    }
    if (current()) world.draw(overview.places);
  };
  let refined = false;
  const refine = async () => {
    if (refined || !world.isClose()) return;
    refined = true;
    try {
      await world.refine(...await inTime(Promise.all([json(finer), json(names)])));
      settle("detail");
    } catch (error) {
      refined = false;
      tell("detail", `The finer coast and the names of places could not be had: ${error.message}.`, refine);
    }
  };
  const watch = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    watch.disconnect();
    inSight = true;
    if (overview) map({ fit: true, current: still() });
    else painted.then(parts).catch(() => {}); // which is told once it is drawn
  }, { rootMargin: SIGHT });
  const labels = window.finding.labels;

  const look = async ({ fit }) => {
    const current = still();
    views.setAttribute("aria-busy", "true");
    try {
      const answer = await askOverview(overviewOf(query()));
      if (!answer || !current()) return;
      overview = answer.body;
      noteMap(overview);
      for (const step of [timeline, tables, plots]) {
        await pause();
        if (!current()) return;
        step();
      }
      views.hidden = false;
    } catch (error) {
      if (!(error instanceof window.requests.Failure)) throw error;
      if (!current()) return;
      overview = null;
      views.hidden = true;
      tell("overview", `Map, timeline and figures could not be had: ${error.message}.`, () => look({ fit: true }));
      return;
    } finally {
      if (current()) views.removeAttribute("aria-busy");
    }
    window.finding.count(overview, query());
    if (inSight) await map({ fit, current });
    if (current()) document.documentElement.dataset.drawn = String(asked);
  };

  const timeline = () => {
    laid = window.timeline.draw(byId("timeline"), overview.dates, (from, to) => show(address(narrowed({ date_from: from, date_to: to }))));
    const unit = laid?.yearly ? "year" : "month";
    byId("time-note").textContent = !laid?.spanning ? "" : `Below the line: ${plural(laid.spanning)} whose date spans more than one ${unit}, with the number where there is more than one.`
      + (laid.undrawn ? ` ${plural(laid.undrawn)} of them find no room there; the table counts all.` : "");
    const drawn = new Set([...(laid?.brackets ?? []).map((one) => one.kind), ...(laid?.arrows.length ? ["open"] : [])]);
    for (const one of document.querySelectorAll("#time [data-kind]")) one.hidden = !drawn.has(one.dataset.kind);
  };
  const plots = () => {
    charts.figures(byId("figures"), overview);
    charts.types(byId("types"), overview, labels.type);
  };
  const tables = () => {
    fill("months", months);
    fill("places", places);
    fill("areas", areas);
  };
  // A table that is folded away is made when it is opened.
  const fill = (id, make) => {
    const details = byId(id).closest("details");
    details.ontoggle = () => { if (details.open && overview) byId(id).replaceChildren(...make()); };
    details.ontoggle();
  };
  const months = () => [table(`Incidents by ${laid?.yearly ? "year" : "month"}`,
    [laid?.yearly ? "Year" : "Month", "Day known", "Some day of it", "Lasted through it", "May have happened in it"],
    (laid?.found ?? []).filter((one) => one.known + one.partly + one.lasted + one.perhaps).map((one) =>
      [html("a", { href: address(narrowed({ date_from: one.key, date_to: one.key })) }, one.name), ...[one.known, one.partly, one.lasted, one.perhaps].map(number)]))];
  const places = () => {
    const rest = overview.places.length - MOST_ROWS;
    const found = table("Incidents by place", ["Place", "Incidents", "The point"],
      overview.places.slice(0, MOST_ROWS).map((one) => [
        one.city ? html("a", { href: address(narrowed(cityOf(one))) }, html("bdi", {}, one.city), `, ${one.country}`)
          : `${one.latitude}, ${one.longitude}, ${one.country}`,
        number(one.incidents), MEANING[one.geo_precision] ?? ""]));
    return rest > 0 ? [found, html("p", {}, `and ${number(rest + overview.other_places.places)} more places`)] : [found];
  };
  // What is known for a region or a country only, which is no point: by country.
  const areas = () => {
    const rows = new Map();
    for (const one of overview.areas) {
      if (!rows.has(one.country)) rows.set(one.country, { admin1: 0, country: 0 });
      rows.get(one.country)[one.geo_precision] += one.incidents;
    }
    return [table("Incidents known for a region or a country only", ["Country", "A region of it", "The country"],
      [...rows].map(([code, one]) => [html("a", { href: address(narrowed({ country: code })) }, labels.country.get(code) ?? code), number(one.admin1), number(one.country)]))];
  };
  const noteMap = (found) => {
    const { places: others, incidents } = found.other_places;
    byId("map-note").textContent = others ? `${plural(incidents)} at ${plural(others, "other place is", "other places are")} not drawn: zoom in, or filter.` : "";
    const wide = found.areas.reduce((sum, one) => sum + one.incidents, 0);
    byId("areas-summary").textContent = `${plural(wide)} known for a region or a country only, which no point stands for`;
    byId("areas").closest("details").hidden = !wide;
  };

  const area = () => {
    const bounds = world.map.getBounds();
    const clamp = (value, most) => Math.max(-most, Math.min(most, value)).toFixed(2);
    return [clamp(bounds.getWest(), 180), clamp(bounds.getSouth(), 90), clamp(bounds.getEast(), 180), clamp(bounds.getNorth(), 90)].join(",");
  };
  byId("this-area").addEventListener("click", () => { if (world) show(address(narrowed({ bbox: area() })), { fit: false }); });
  // The address says where the map was moved to. Where not all places are drawn, those of the part
  // that is looked at come.
  let moving = 0;
  const moved = () => {
    const { lat, lng } = world.map.getCenter();
    history.replaceState(history.state, "", `${location.pathname}${location.search}#map=${world.map.getZoom()}/${lat.toFixed(4)}/${lng.toFixed(4)}`);
    clearTimeout(moving);
    if (!overview?.other_places.places || query().has("bbox")) return;
    moving = setTimeout(lookCloser, PATIENCE);
  };
  const lookCloser = async () => {
    const current = still(), parameters = query();
    parameters.set("bbox", area());
    settle("area");
    try {
      const answer = await askArea(overviewOf(parameters));
      if (!answer || !current()) return;
      world.draw(answer.body.places);
      noteMap({ ...overview, other_places: answer.body.other_places });
    } catch (error) {
      if (current()) tell("area", `The other places of this part of the map could not be had: ${error.message}.`, lookCloser);
    }
  };

  window.finding.init({ show, address, base });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#chosen .chosen a, .paging a, #places a, #areas a, #months a, #results > p a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.matches(".previous") && history.state?.leadsBack) history.back();
    else show(link.href, { focus: "results-heading", follows: link.rel === "next" });
  });
  // A step back is to another query, or to another part of the page only.
  addEventListener("popstate", () => {
    const target = location.pathname + location.search;
    if (target !== shownAt || content.classList.contains("lost")) show(target, { push: false });
    else if (world && position()) world.place(position());
  });
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width || !overview) return;
    width = innerWidth;
    timeline();
  });
  watch.observe(byId("map"));
  namePrevious();
  if (!document.querySelector(".problem")) painted.then(() => look({ fit: true }));
})();
