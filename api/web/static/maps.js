// The map: circles by place, sized by the number of incidents, honest about what a point stands for.
"use strict";
(() => {
  const LARGEST = 26, SMALLEST = 4;
  // So many circles are made in one go, so that the page answers in between.
  const AT_ONCE = 350;
  const APPEARANCE = {
    exact: { fillOpacity: 0.8 }, venue: { fillOpacity: 0.8 },
    city: { fillOpacity: 0.3, dashArray: "4 3" },
  };
  // What is known for a region or a country only is no dot: it would say more than is known.
  const isDot = (place) => place.geo_precision !== "admin1" && place.geo_precision !== "country";
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

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

  const make = (element, { borders, places, describe }) => {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const map = L.map(element, {
      preferCanvas: true, minZoom: 1, maxZoom: 9, zoomSnap: 0.5, worldCopyJump: false,
      maxBounds: [[-80, -200], [85, 200]], attributionControl: false,
      zoomAnimation: !still, fadeAnimation: !still, inertia: !still,
    });
    L.control.attribution({ prefix: false }).addAttribution("Borders: Natural Earth").addTo(map);
    const earth = () => ({ color: colour("--border"), weight: 0.7, fillColor: colour("--land"), fillOpacity: 1 });
    // All countries look the same, so they are one shape. It has a sheet of its own, and is not drawn
    // again with each circle.
    const land = L.polygon([], { interactive: false, pane: "tilePane", renderer: L.canvas({ pane: "tilePane" }), ...earth() });
    const circles = L.featureGroup().addTo(map);
    circles.bindPopup(({ place }) => describe(place), { autoPan: !still });
    let held = [], fitting = false, fitted = false;

    const draw = async (places) => {
      held = places;
      circles.clearLayers();
      const most = Math.max(1, ...places.map((place) => place.incidents));
      const dot = colour("--dot");
      // Large circles first, so that small ones stay within reach.
      for (const [count, place] of places.filter(isDot).entries()) {
        if (count && count % AT_ONCE === 0) {
          await window.page.pause();
          if (held !== places) return;
        }
        const radius = SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(place.incidents / most) * Math.min(1, 0.35 + most / 20);
        const circle = L.circleMarker([place.latitude, place.longitude], {
          radius, color: dot, weight: 1.5, fillColor: dot, ...APPEARANCE[place.geo_precision],
        });
        circle.place = place;
        circle.addTo(circles);
      }
    };
    // The view moves to the places that a new query means, not while the reader moves it.
    const fit = (places) => {
      if (!places.length) return;
      const bounds = L.latLngBounds(places.map((place) => [place.latitude, place.longitude]));
      fitting = true;
      map.once("moveend", () => { fitting = false; });
      map.fitBounds(bounds.pad(0.15), { maxZoom: 4, animate: fitted && !still });
      fitted = true;
    };
    if (places.length) fit(places);
    else map.setView([35, 20], 1.5);
    const landed = (async () => {
      await window.page.pause();
      const polygons = topojson.feature(borders, borders.objects.countries).features.flatMap(polygonsOf);
      await window.page.pause();
      land.setLatLngs(polygons).addTo(map);
      await window.page.pause();
    })();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      land.setStyle(earth());
      draw([...held]);
    });
    const onMove = (act) => map.on("moveend", () => { if (!fitting) act(); });
    return { map, draw, fit, onMove, landed };
  };
  window.maps = { make };
})();
