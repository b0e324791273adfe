// Place look-up: which places bear the name that is typed, each with a button that takes it.
import { attempt, button, make, stored } from "./elements.js";
import { ask } from "./requests.js";

const SHOWN = 4;
const box = document.getElementById("found-places");
const [city, country, division] = ["city", "country", "admin1"].map((name) => document.querySelector(`#entry [data-name=${name}]`));
const alarms = box.parentElement.appendChild(make("div", { class: "alarm", role: "alert" }));
let going = null;
let timer = null;

const isCountry = (text) => /^[A-Za-z]{2}$/.test(text) || [...country.list.options].some((one) => one.value === text);
const described = (place) => [place.name, place.admin1, place.country_name ?? place.country].filter(Boolean).join(", ");

function take(place) {
  city.value = place.name;
  country.value = place.country_name ?? place.country;
  division.value = place.admin1 ?? "";
  box.replaceChildren(make("p", {}, "Taken: ", stored(described(place)), "."));
  country.dispatchEvent(new Event("input", { bubbles: true }));
}

function show(places) {
  if (!places.length) return box.replaceChildren("No place of this name is known. A point can be given below.");
  const people = (place) => (place.population ? `, ${place.population.toLocaleString("en")} people` : "");
  return box.replaceChildren(make("span", {}, "Take the place that is meant:"),
    ...places.slice(0, SHOWN).map((place) => button(described(place) + people(place), () => take(place))));
}

async function look() {
  going?.abort();
  going = new AbortController();
  const { signal } = going;
  const name = city.value.trim();
  if (name.length < 2) return box.replaceChildren();
  const inCountry = country.value.trim() && isCountry(country.value.trim()) ? `&country=${encodeURIComponent(country.value.trim())}` : "";
  return attempt(alarms, async () => {
    const { content } = await ask("GET", `/places?q=${encodeURIComponent(name)}&limit=${SHOWN}${inCountry}`, { signal });
    if (!signal.aborted) show(content.data);
  });
}

city.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(look, 300);
});
