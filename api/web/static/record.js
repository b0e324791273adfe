// The small map of a record: its point, drawn as what it stands for. Without it the text says all.
"use strict";
(async () => {
  const box = document.getElementById("small-map");
  const { latitude, longitude, precision, says, style, leaflet, topology, borders } = box.dataset;
  await window.page.painted;
  try {
    const [response] = await Promise.all([fetch(borders), window.page.loaded(leaflet), window.page.loaded(topology), window.page.loaded(style)]);
    const earth = topojson.feature(...((world) => [world, world.objects.countries])(await response.json()));
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const point = [Number(latitude), Number(longitude)];
    const still = { dragging: false, keyboard: false, scrollWheelZoom: false, doubleClickZoom: false, boxZoom: false, touchZoom: false, zoomControl: false };
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", `Map: ${says}`);
    const map = L.map(box, { ...still, attributionControl: false, zoomAnimation: false }).setView(point, 4);
    L.geoJSON(earth, { interactive: false, style: { color: colour("--border"), weight: 0.7, fillColor: colour("--land"), fillOpacity: 1 } }).addTo(map);
    const city = precision === "city" ? { fillOpacity: 0.3, dashArray: "4 3" } : { fillOpacity: 0.8 };
    L.circleMarker(point, { radius: 9, interactive: false, color: colour("--dot"), weight: 1.5, ...city }).addTo(map);
  } catch {
    box.remove();
  }
})();
