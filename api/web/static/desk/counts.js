// A count: its figure and bounds, as one; and what that means in words.
import { number } from "./controls.js";
import { countInWords } from "./words.js";

const ends = (fieldset) => Object.fromEntries(
  [...fieldset.querySelectorAll("[data-end]")].map((control) => [control.dataset.end, control]),
);
const about = (fieldset) => fieldset.querySelector("[data-about]");

/** Return the members of a count: all three, or the figure alone where it is exact. */
export function readCount(fieldset) {
  const name = fieldset.dataset.count;
  const [best, low, high] = Object.values(ends(fieldset)).map((control) => number(control.value.trim()));
  if (low === null && high === null && !(best !== null && about(fieldset).checked)) return { [name]: best };
  return { [name]: best, [`${name}_low`]: low, [`${name}_high`]: high };
}

/** Put the count of a RECORD into the form. */
export function fillCount(fieldset, record) {
  const name = fieldset.dataset.count;
  const [best, low, high] = ["", "_low", "_high"].map((end) => record[name + end] ?? null);
  const exact = best !== null && best === low && best === high;
  const values = { "": best, _low: exact ? null : low, _high: exact ? null : high };
  for (const [end, control] of Object.entries(ends(fieldset))) control.value = values[end] ?? "";
  about(fieldset).checked = best !== null && low === null && high === null;
  sayCount(fieldset);
}

/** Say what the count means as it stands; nothing where something else than numbers is typed. */
export function sayCount(fieldset) {
  const values = readCount(fieldset);
  const [best, low = best, high = best] = Object.values(values);
  const plain = [best, low, high].every((value) => value === null || typeof value === "number");
  fieldset.querySelector("[data-says]").textContent = plain ? countInWords({ best, low, high }) : "";
}
