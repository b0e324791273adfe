// The map: places by the number of their incidents, put together where they would overlap, and
// honest about what a point stands for.
"use strict";
(() => {
  const { html, number, plural } = window.charts;
  // The scale is the same for every query: from so many incidents on, a circle is so wide.
  const WIDTHS = [[1000, 46], [100, 38], [10, 30], [2, 24], [1, 16]];
  const NEAR = 60, CLOSEST = 15;
  // From this zoom on come the finer coast and the names of places.
  const FINE = 4, MOST_NAMES = 40, NAME = [96, 22];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // What is known for a region or a country only is no dot: it would say more than is known.
  const isDot = (place) => place.geo_precision !== "admin1" && place.geo_precision !== "country";
  const isSpot = (place) => place.geo_precision === "exact" || place.geo_precision === "venue";

  // A ring that crosses the antimeridian is drawn in one piece, beyond the edge, and once more a
  // turn of the globe away, so that both edges of the map show their part.
  const unwrapped = (ring) => {
    let turn = 0;
    const found = ring.map(([longitude, latitude], place) => {
      if (place) {
        const step = longitude - ring[place - 1][0];
        if (step > 180) turn -= 360;
        if (step < -180) turn += 360;
      }
      return [longitude + turn, latitude];
    });
    const first = found[0], last = found.at(-1);
    if (Math.abs(last[0] - first[0]) > 180) found.push([last[0], -90], [first[0], -90], first);
    return found;
  };
  const shifted = (polygon, by) => polygon.map((ring) => ring.map(([x, y]) => [x + by, y]));
  // The polygons of a country as Leaflet has them, which names latitude first.
  const polygonsOf = ({ geometry: { type, coordinates } }) =>
    (type === "Polygon" ? [coordinates] : coordinates).flatMap((polygon) => {
      const whole = polygon.map(unwrapped);
      const all = whole[0].map(([x]) => x);
      const found = [whole];
      if (Math.max(...all) > 180) found.push(shifted(whole, -360));
      if (Math.min(...all) < -180) found.push(shifted(whole, 360));
      return found.map((rings) => rings.map((ring) => ring.map(([x, y]) => [y, x])));
    });
  // Borders as one shape, since all countries look the same; the page answers in between.
  const shapeOf = async (borders) => {
    await window.page.pause();
    const polygons = topojson.feature(borders, borders.objects.countries).features.flatMap(polygonsOf);
    await window.page.pause();
    return polygons;
  };

  const chart = (element) => {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    // Until the map is tapped, a finger scrolls the page; two move the map. So does a wheel.
    const coarse = matchMedia("(pointer: coarse)").matches;
    const map = L.map(element, {
      minZoom: 1, maxZoom: CLOSEST, zoomSnap: 0.5, maxBounds: [[-80, -200], [85, 200]], attributionControl: false,
      zoomAnimation: !still, fadeAnimation: !still, inertia: !still, markerZoomAnimation: !still,
      dragging: !coarse, scrollWheelZoom: false,
    });
    L.control.scale({ imperial: false, position: "topright" }).addTo(map);
    L.control.attribution({ prefix: false }).addAttribution("Borders: Natural Earth. Names: GeoNames").addTo(map);
    const wake = () => { map.dragging.enable(); map.scrollWheelZoom.enable(); element.classList.add("awake"); };
    const sleep = () => { if (coarse) map.dragging.disable(); map.scrollWheelZoom.disable(); element.classList.remove("awake"); };
    element.addEventListener("click", wake);
    document.addEventListener("pointerdown", (event) => { if (!element.contains(event.target)) sleep(); });
    return { map, still };
  };

  const circle = (latitude, longitude, incidents, kind, title) => {
    const width = WIDTHS.find(([from]) => incidents >= from)[1];
    const icon = L.divIcon({ className: `dot ${kind}`, iconSize: [width, width], html: incidents > 1 ? number(incidents) : "" });
    return L.marker([latitude, longitude], { icon, title, keyboard: false });
  };

  const make = (element, { borders, describe }) => {
    const { map, still } = chart(element);
    const earth = () => ({ color: colour("--border"), weight: 0.7, fillColor: colour("--land"), fillOpacity: 1 });
    const land = L.polygon([], { interactive: false, pane: "tilePane", renderer: L.canvas({ pane: "tilePane" }), ...earth() });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => land.setStyle(earth()));
    const circles = L.layerGroup().addTo(map), labels = L.layerGroup().addTo(map);
    let clusters = null, names = [], fitted = false, fine = false;
    // Whether the reader moves the map, rather than a new query.
    let moving = false;
    for (const kind of ["pointerdown", "touchstart", "wheel", "keydown"]) {
      element.addEventListener(kind, () => { moving = true; }, { capture: true, passive: true });
    }

    const popup = (latlng, ...content) => map.openPopup(html("div", { class: "scroll" }, ...content), latlng, { autoPan: !still });
    const open = (cluster, latlng) => {
      const closer = clusters.getClusterExpansionZoom(cluster);
      if (closer <= CLOSEST) map.setView(latlng, closer);
      else popup(latlng, ...clusters.getLeaves(cluster, 50).map((leaf) => describe(leaf.properties.place)));
    };
    const mark = ({ geometry: { coordinates: [longitude, latitude] }, properties }) => {
      const { cluster_id: cluster, incidents, place } = properties;
      const kind = cluster === undefined ? (isSpot(place) ? "spot" : "around") : "many";
      const title = place ? `${place.city ?? "Point"}, ${place.country}: ${plural(incidents)}` : `${plural(incidents)} at ${plural(properties.point_count, "place", "places")}`;
      return circle(latitude, longitude, incidents, kind, title).on("click", ({ latlng }) => (place ? popup(latlng, describe(place)) : open(cluster, latlng)));
    };
    const redraw = () => {
      if (!clusters) return;
      const view = map.getBounds().pad(0.2);
      circles.clearLayers();
      for (const one of clusters.getClusters([view.getWest(), view.getSouth(), view.getEast(), view.getNorth()], Math.floor(map.getZoom()))) mark(one).addTo(circles);
    };
    const draw = (places) => {
      clusters = new Supercluster({ radius: NEAR, extent: 256, maxZoom: CLOSEST, map: ({ incidents }) => ({ incidents }), reduce: (sum, { incidents }) => { sum.incidents += incidents; } });
      clusters.load(places.filter(isDot).map((place) => ({
        type: "Feature", properties: { place, incidents: place.incidents }, geometry: { type: "Point", coordinates: [place.longitude, place.latitude] },
      })));
      redraw();
    };
    // Names of the largest places in view that have room.
    const name = () => {
      labels.clearLayers();
      if (map.getZoom() < FINE) return;
      const view = map.getBounds(), taken = new Set();
      for (const [text, latitude, longitude] of names) {
        if (taken.size >= MOST_NAMES * 4) break;
        if (!view.contains([latitude, longitude])) continue;
        const { x, y } = map.latLngToContainerPoint([latitude, longitude]);
        const cells = [0, 1].flatMap((right) => [0, 1].map((down) => `${Math.floor(x / NAME[0]) + right} ${Math.floor(y / NAME[1]) + down}`));
        if (cells.some((cell) => taken.has(cell))) continue;
        for (const cell of cells) taken.add(cell);
        const icon = L.divIcon({ className: "place-name", iconSize: null, iconAnchor: [-13, 9], html: html("bdi", { "aria-hidden": "true" }, text) });
        L.marker([latitude, longitude], { icon, interactive: false, keyboard: false, pane: "shadowPane" }).addTo(labels);
      }
    };
    // The view moves to the places that a new query means, not while the reader moves it.
    const go = (move) => {
      moving = false;
      move();
      fitted = true;
    };
    const fit = (places) => {
      if (places.length) go(() => map.fitBounds(L.latLngBounds(places.map((place) => [place.latitude, place.longitude])).pad(0.15), { maxZoom: 4, animate: fitted && !still }));
      else if (!fitted) go(() => map.setView([35, 20], 1.5));
    };
    const landed = shapeOf(borders).then((polygons) => { if (!fine) land.setLatLngs(polygons); land.addTo(map); });
    map.on("moveend", () => { redraw(); name(); });
    return {
      map, draw, fit, landed,
      place: ([zoom, latitude, longitude]) => go(() => map.setView([latitude, longitude], zoom, { animate: false })),
      isClose: () => map.getZoom() >= FINE,
      // What is seen from close by: the finer coast, and names.
      refine: async (finer, found) => {
        fine = true;
        names = found;
        name();
        land.setLatLngs(await shapeOf(finer));
      },
      onMove: (act) => map.on("moveend", () => { if (moving) act(); }),
    };
  };
  window.maps = { make };
})();
