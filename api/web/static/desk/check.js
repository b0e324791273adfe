// The check: while one types, a dry run says how the service understands what is there so far.
import { alarm, make, stored } from "./elements.js";
import { clearFaults, showFaults } from "./faults.js";
import { form } from "./incident_form.js";
import { facts } from "./record_view.js";
import { ask, hasKey } from "./requests.js";
import { request } from "./task.js";
import { fieldName } from "./words.js";

const PAUSE = 700; // milliseconds without a key pressed
const box = document.getElementById("check");
const WOULD = { create: "It would be made.", change: "It would be changed.", refuse: "It would be refused as a duplicate, unless you say that it is another event.", "leave unchanged": "Nothing would change." };
let timer = null;
let going = null;

/** Return a list of records that look alike, each with what they share and a way to look at it. */
export const alike = (records) => make("ul", {}, ...records.map((one) =>
  make("li", {}, make("a", { href: `#record=${one.id}` }, stored(one.title)), `, ${[one.date, one.city].filter(Boolean).join(", ")}`,
    one.reasons ? ` (${one.reasons.join("; ")})` : "")));

/** Return what warnings say. */
export const told = (warnings) => make("ul", {}, ...warnings.map((one) => make("li", {}, make("bdi", {}, one.detail ?? JSON.stringify(one)))));

/** Show the answer of a dry run. */
export function showTrial({ would, record, warnings, similar }) {
  box.replaceChildren(make("p", { class: would === "refuse" ? "disputed" : "" }, WOULD[would] ?? would), facts(record));
  if (warnings.length) box.append(make("h4", {}, "To be known before"), told(warnings));
  if (similar.length) box.append(make("h4", {}, "Records that look alike"), alike(similar));
}

/** Show in the panel what is still missing or wrong. */
function showGaps(errors, controls) {
  const needed = errors.filter((one) => one.code === "required").map((one) => fieldName(one.pointer.split("/")[1]));
  const rest = showFaults(errors, controls, { typed: true }).filter((one) => one.code !== "required");
  box.replaceChildren(...(needed.length ? [make("p", {}, `Still needed: ${[...new Set(needed)].join(", ")}.`)] : [make("p", {}, "Something does not fit yet; it is said at its field.")]),
    ...(rest.length ? [told(rest)] : []));
}

async function check() {
  if (!hasKey()) return;
  going?.abort();
  going = new AbortController();
  const { signal } = going;
  const { method, path, body, version, controls } = request({ tries: true });
  try {
    const { content } = await ask(method, path, { body, version, signal });
    if (signal.aborted) return;
    clearFaults(form);
    showTrial(content);
  } catch (error) {
    if (signal.aborted) return;
    clearFaults(form);
    if (error.status === 422) showGaps(error.problem.errors, controls);
    else {
      box.replaceChildren(make("div", { class: "alarm", role: "alert" }));
      alarm(box.firstChild, error, check);
    }
  }
}

/** Check soon, once nobody types. */
export function checkSoon() {
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE);
}

/** Drop the check that runs or would: what it would say is old. */
export function dropCheck() {
  clearTimeout(timer);
  going?.abort();
}
