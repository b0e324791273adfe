// The explorer: one state, the address. The list comes from the server as it stands in the page;
// map, timeline and plots are drawn from the overview of the same query, the map once it is in sight.
"use strict";
(() => {
  const { announce, loaded, localise, painted, pause } = window.page;
  const { html, number, plural, table } = window.charts;
  const byId = (id) => document.getElementById(id);
  const form = byId("filters");
  // Where the pages begin: below the path of another site, or at its root.
  const { base } = document.documentElement.dataset;
  const CONTROLS = ["cursor", "start", "sort", "limit"];
  const PIECES = ["chosen", "results", "take"];
  // Of the places, so many stand in the table, and so many are drawn.
  const PATIENCE = 350, MOST_ROWS = 500, MOST_DRAWN = 700;
  // The map counts as seen once it reaches above the lowest tenth of the window.
  const SIGHT = "0px 0px -10% 0px";
  const MEANING = {
    exact: "at this spot", venue: "at this venue", city: "somewhere in the city",
    admin1: "somewhere in the region", country: "somewhere in the country",
  };
  let overview = null, laid = null, asked = 0, waiting = 0;

  const query = (search = location.search, without = CONTROLS) => {
    const found = new URLSearchParams(search);
    for (const name of without) found.delete(name);
    return found;
  };
  // As the server writes it, so that one view has one address.
  const written = (parameters) => parameters.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  const address = (parameters) => (written(parameters) ? `${base}?${written(parameters)}` : base);
  const fromForm = () => {
    const found = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value.trim()) found.append(name, value.trim());
    return found;
  };
  const narrowed = (changes) => {
    const found = query(location.search, ["cursor", "start", "limit"]);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) found.delete(name);
      else found.set(name, value);
    }
    return found;
  };

  const show = async (target, { push = true, focus = null, fit = true, follows = false } = {}) => {
    const turn = ++asked;
    const results = byId("results");
    results.setAttribute("aria-busy", "true");
    let shown;
    try {
      const answer = await fetch(target, { headers: { Accept: "text/html" } });
      shown = new DOMParser().parseFromString(await answer.text(), "text/html");
      target = new URL(answer.url).pathname + new URL(answer.url).search;
    } catch {
      if (turn === asked) { results.removeAttribute("aria-busy"); announce("The service does not answer. Try again."); }
      return;
    }
    if (turn !== asked) return;
    if (push && target !== location.pathname + location.search) history.pushState({ leadsBack: follows }, "", target);
    document.title = shown.title;
    for (const id of PIECES) {
      const fresh = shown.getElementById(id);
      if (fresh) byId(id).replaceWith(document.adoptNode(fresh));
    }
    document.querySelector(".problem")?.remove();
    const problem = shown.querySelector(".problem");
    if (problem) form.after(document.adoptNode(problem));
    adopt(shown.getElementById("filters"));
    localise(byId("take"));
    namePrevious();
    if (focus) byId(focus).focus();
    if (problem) return;
    announce(byId("results-heading").textContent);
    await look({ fit });
  };

  // From a page that was reached by "Next page", the one before it is a step back.
  const namePrevious = () => {
    const link = document.querySelector(".paging .previous");
    if (link && history.state?.leadsBack) link.textContent = "Previous page";
  };

  // Take over what the server made of the form, but leave alone the field someone is in.
  const adopt = (fresh) => {
    if (!fresh) return;
    for (const old of form.querySelectorAll("input[type=hidden]")) old.remove();
    for (const kept of fresh.querySelectorAll("input[type=hidden]")) form.append(document.adoptNode(kept));
    for (const error of form.querySelectorAll(".error")) error.remove();
    for (const field of fresh.querySelectorAll("input[id], select[id]")) {
      const mine = byId(field.id);
      for (const name of ["aria-invalid", "aria-describedby"]) {
        if (field.hasAttribute(name)) mine.setAttribute(name, field.getAttribute(name));
        else mine.removeAttribute(name);
      }
      const error = field.parentElement.querySelector(".error");
      if (error) mine.after(document.adoptNode(error));
      if (mine === document.activeElement && mine.tagName === "INPUT") continue;
      if (field.tagName === "SELECT") mine.replaceChildren(...[...field.options].map((one) => document.adoptNode(one.cloneNode(true))));
      mine.value = field.value;
    }
  };

  const describe = (place) => {
    const name = place.city ?? "Point";
    const box = [place.longitude - 0.0001, place.latitude - 0.0001, place.longitude + 0.0001, place.latitude + 0.0001];
    const changes = place.city && place.geo_precision !== "exact" && place.geo_precision !== "venue"
      ? { city: place.city.replaceAll(/,(?! )/g, " "), country: place.country } : { bbox: box.map((x) => x.toFixed(4)).join(",") };
    const link = html("a", { href: address(narrowed(changes)) }, `Show ${place.incidents === 1 ? "it" : "them"}`);
    link.addEventListener("click", (event) => { event.preventDefault(); show(link.href, { focus: "results-heading" }); });
    return html("div", {}, html("strong", {}, `${name}, ${place.country}`), html("br"), `${plural(place.incidents)}, ${MEANING[place.geo_precision]}`, html("br"), link);
  };

  // The map and all that it takes come once some of it is in sight.
  let world = null, coming = null, inSight = false;
  const parts = () => {
    const { borders, style, leaflet, topology, maps: drawing } = byId("map").dataset;
    return (coming ??= Promise.all([fetch(borders).then((answer) => answer.json()), ...[style, leaflet, topology, drawing].map(loaded)]));
  };
  const map = async ({ fit, current }) => {
    const [borders] = await parts();
    await pause();
    if (!current()) return;
    if (world) {
      world.map.closePopup();
      if (fit) world.fit(overview.places);
    } else {
      world = maps.make(byId("map"), { borders, places: overview.places, describe });
      world.onMove(lookCloser);
      await world.landed;
    }
    await world.draw(overview.places.slice(0, MOST_DRAWN));
  };
  const watch = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    watch.disconnect();
    inSight = true;
    if (overview) map({ fit: true, current: still() });
    else painted.then(parts);
  }, { rootMargin: SIGHT });
  const labels = new Map([...byId("type").options].filter((one) => one.value && !one.value.includes(",")).map((one) => [one.value, one.textContent]));

  const look = async ({ fit }) => {
    const current = still();
    const parameters = query();
    const answer = await fetch(`${base}api/v1/overview${parameters.size ? `?${written(parameters)}` : ""}`);
    if (!answer.ok || !current()) return;
    const found = await answer.json();
    if (!current()) return;
    overview = found;
    noteMap(overview);
    for (const step of [timeline, tables, plots]) {
      await pause();
      if (!current()) return;
      step();
    }
    if (inSight) await map({ fit, current });
    if (current()) document.documentElement.dataset.drawn = String(asked);
  };
  // Give what tells whether the query is still the one that it was.
  const still = (turn = asked) => () => turn === asked;

  const timeline = () => {
    laid = charts.timeline(byId("timeline"), overview.dates, (key) => show(address(narrowed({ date_from: key, date_to: key }))));
    byId("time-note").textContent = laid?.spanning
      ? `Below the line, on a scale of its own: ${plural(laid.spanning)} whose date spans more than one ${laid.yearly ? "year" : "month"}, drawn in each that it covers.`
      : "";
    for (const one of document.querySelectorAll("#time .below")) one.hidden = !laid?.spanning;
  };
  const plots = () => {
    charts.figures(byId("figures"), overview);
    charts.types(byId("types"), overview, labels);
  };
  const tables = () => {
    fill("months", months);
    fill("places", places);
  };
  // A table that is folded away is made when it is opened.
  const fill = (id, make) => {
    const details = byId(id).closest("details");
    details.ontoggle = () => { if (details.open) byId(id).replaceChildren(...make()); };
    details.ontoggle();
  };
  const months = () => [table(`Incidents by ${laid?.yearly ? "year" : "month"}`,
    [laid?.yearly ? "Year" : "Month", "Day known", "Some day of it", "Lasted through it", "May have happened in it"],
    (laid?.found ?? []).filter((one) => one.known + one.partly + one.lasted + one.perhaps).map((one) =>
      [html("a", { href: address(narrowed({ date_from: one.key, date_to: one.key })) }, one.name), ...[one.known, one.partly, one.lasted, one.perhaps].map(number)]))];
  const places = () => {
    const rest = overview.places.length - MOST_ROWS;
    const found = table("Incidents by place", ["Place", "Incidents", "The point"],
      overview.places.slice(0, MOST_ROWS).map((place) => [
        place.city ? html("a", { href: address(narrowed({ city: place.city.replaceAll(/,(?! )/g, " "), country: place.country })) }, `${place.city}, ${place.country}`)
          : `${place.latitude}, ${place.longitude}, ${place.country}`,
        number(place.incidents), MEANING[place.geo_precision] ?? ""]));
    return rest > 0 ? [found, html("p", {}, `and ${number(rest + overview.other_places.places)} more places`)] : [found];
  };
  // What the map leaves out: the places beyond those that it draws, and those that did not come.
  const undrawn = (found) => {
    const beyond = found.places.slice(MOST_DRAWN);
    return {
      places: beyond.length + found.other_places.places,
      incidents: beyond.reduce((sum, place) => sum + place.incidents, found.other_places.incidents),
    };
  };
  const noteMap = (found) => {
    const parts = [];
    const hidden = undrawn(found);
    if (hidden.places) parts.push(`Drawn are the ${number(MOST_DRAWN)} places with the most incidents; ${plural(hidden.incidents)} at ${number(hidden.places)} other places are not: zoom in, or filter.`);
    const regions = found.places.filter((place) => ["admin1", "country"].includes(place.geo_precision)).reduce((sum, place) => sum + place.incidents, 0);
    if (regions + found.without_coordinates) parts.push(`${plural(regions + found.without_coordinates)} known for a region or a country only, which the map does not show.`);
    byId("map-note").textContent = parts.join(" ");
  };

  const area = () => {
    const bounds = world.map.getBounds();
    const clamp = (value, most) => Math.max(-most, Math.min(most, value)).toFixed(2);
    return [clamp(bounds.getWest(), 180), clamp(bounds.getSouth(), 90), clamp(bounds.getEast(), 180), clamp(bounds.getNorth(), 90)].join(",");
  };
  byId("this-area").addEventListener("click", () => { if (world) show(address(narrowed({ bbox: area() })), { fit: false }); });
  // Where not all places are drawn, those of the part that is looked at come when it moves.
  let moving = 0;
  const lookCloser = () => {
    clearTimeout(moving);
    if (!overview || !undrawn(overview).places || query().has("bbox")) return;
    moving = setTimeout(async () => {
      const current = still(), parameters = query();
      parameters.set("bbox", area());
      const answer = await fetch(`${base}api/v1/overview?${written(parameters)}`);
      if (!answer.ok || !current()) return;
      const found = await answer.json();
      world.draw(found.places.slice(0, MOST_DRAWN));
      noteMap(found);
    }, PATIENCE);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    show(address(fromForm()), { focus: "results-heading" });
  });
  form.addEventListener("change", () => { clearTimeout(waiting); show(address(fromForm())); });
  form.addEventListener("input", (event) => {
    if (event.target.id !== "q") return; // a date is read once it is whole
    clearTimeout(waiting);
    waiting = setTimeout(() => show(address(fromForm())), PATIENCE);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#chosen .chosen a, .paging a, #places a, #months a, #results > p a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.matches(".previous") && history.state?.leadsBack) history.back();
    else show(link.href, { focus: "results-heading", follows: link.rel === "next" });
  });
  addEventListener("popstate", () => show(location.pathname + location.search, { push: false }));
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
