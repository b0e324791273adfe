// The form of an incident as a whole: read as the members of a request, filled from a record.
import { fill, isEmpty, read } from "./controls.js";
import { fillCount, readCount } from "./counts.js";
import { addRow } from "./rows.js";
import { fillSources, readSources } from "./sources.js";

export const form = document.getElementById("entry");
export const list = (name) => form.querySelector(`[data-rows=${name}]`);
const plain = () => [...form.querySelectorAll("[data-name]")].filter((control) => !control.closest("[data-row]"));
const counts = (within) => [...within.querySelectorAll("[data-count]")].filter((one) => one.closest("[data-row]") === within.closest("[data-row]"));

/**
 * Return what the form holds. `units` are the members that change together, by name; `controls` are
 * the controls by JSON pointer.
 */
export function readForm() {
  const controls = new Map();
  const units = {};
  for (const control of plain()) {
    const { name } = control.dataset;
    units[name] = { [name]: read(control) };
    controls.set(`/${name}`, control);
  }
  for (const fieldset of counts(form)) {
    units[fieldset.dataset.count] = readCount(fieldset);
    noteEnds(fieldset, "", controls);
  }
  units.communities = { communities: readCommunities(controls) };
  units.sources = { sources: readSources(form, controls) };
  return { units, controls };
}

function noteEnds(fieldset, pointer, controls) {
  for (const control of fieldset.querySelectorAll("[data-end]")) {
    controls.set(`${pointer}/${fieldset.dataset.count}${control.dataset.end}`, control);
  }
}

function readCommunities(controls) {
  const entries = [];
  for (const row of form.querySelectorAll("[data-row=communities]")) {
    const named = Object.fromEntries([...row.querySelectorAll("[data-name]")].map((one) => [one.dataset.name, one]));
    if (read(named.community) === null) continue;
    const pointer = `/communities/${entries.length}`;
    for (const [name, control] of Object.entries(named)) controls.set(`${pointer}/${name}`, control);
    controls.set(pointer, named.community);
    noteEnds(counts(row)[0], pointer, controls);
    const members = Object.entries(named).map(([name, control]) => [name, read(control)]);
    const size = readCount(counts(row)[0]);
    entries.push({ ...Object.fromEntries(members.filter(([, value]) => !isEmpty(value))), ...(Object.values(size).some((end) => end !== null) && size) });
  }
  controls.set("/communities", form.querySelector("[data-row=communities] [data-name=community]") ?? form.querySelector("[data-add=community]"));
  return entries;
}

/** Return the members of a request that makes a record of UNITS: all that say something. */
export const whole = (units) =>
  Object.assign({}, ...Object.values(units).filter((unit) => Object.values(unit).some((value) => !isEmpty(value))));

/** Return the names of the UNITS that are not as they were BEFORE. */
export const changedUnits = (units, before) =>
  Object.keys(units).filter((name) => JSON.stringify(units[name]) !== JSON.stringify(before[name]));

/** Return the members of a request that changes a record of the units BEFORE to UNITS. */
export const changed = (units, before) => Object.assign({}, ...changedUnits(units, before).map((name) => units[name]));

/** Fill the form from a RECORD, or empty it where there is none; leave units named in KEPT alone. */
export function fillForm(record = {}, kept = new Set()) {
  for (const control of plain().filter((one) => !kept.has(one.dataset.name))) fill(control, record[control.dataset.name]);
  for (const fieldset of counts(form).filter((one) => !kept.has(one.dataset.count))) fillCount(fieldset, record);
  if (!kept.has("communities")) fillCommunities(record.communities ?? [{ role: "participant" }]);
  if (!kept.has("sources")) fillSources(list("sources"), record.sources ?? []);
}

function fillCommunities(entries) {
  list("communities").replaceChildren();
  for (const entry of entries) {
    const row = addRow("community", list("communities"));
    for (const control of row.querySelectorAll("[data-name]")) fill(control, entry[control.dataset.name]);
    fillCount(counts(row)[0], entry);
  }
}

/** Put a value into the field NAME of the record, or its bounds where it is a count. */
export function adopt({ field, value, low, high }) {
  const fieldset = form.querySelector(`[data-count="${field}"]`);
  if (fieldset && !fieldset.closest("[data-row]")) {
    const exact = value !== undefined;
    fillCount(fieldset, { [field]: value, [`${field}_low`]: exact ? value : low, [`${field}_high`]: exact ? value : high });
    return fieldset.querySelector("input");
  }
  const control = plain().find((one) => one.dataset.name === field);
  fill(control, value);
  return control;
}
