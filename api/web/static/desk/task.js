// What the form is for: a new record, a change of one, or a draft that corrects one; as requests.
import { may } from "./key.js";
import { changed, changedUnits, fillForm, readForm, whole } from "./incident_form.js";

const asDraft = document.getElementById("as-draft");
let record = null; // the record that is changed or corrected, as it was read
let before = {};

export const recordAtHand = () => record;
/** Whether the record at hand can be corrected by a draft only. */
const isCorrection = () => record?.status === "published" && !may("read and edit every incident");

/** Begin with an empty form. */
export function beginNew() {
  record = null;
  fillForm();
}

/** Begin to change the record that was read. */
export function beginChange(read) {
  record = read;
  fillForm(read);
  before = readForm().units;
}

/** Put what was changed so far onto the record as it stands NOW; return the units that were. */
export function rebase(now) {
  const mine = changedUnits(readForm().units, before);
  record = now;
  fillForm(now, new Set(mine));
  before = { ...readForm().units, ...Object.fromEntries(mine.map((name) => [name, undefined])) };
  return mine;
}

/** Return the units that the form changes of the record at hand. */
export const changes = () => changed(readForm().units, before);

/** Say in a sentence what the form is for. */
export function aboutTask() {
  if (!record) return may("publish") ? "It is published when it is sent, unless it is to be a draft." : "It is sent as a draft, which an editor publishes or rejects with a reason.";
  const what = `${record.id}, version ${record.version}`;
  return isCorrection() ? `This corrects ${what}, by a draft that an editor publishes.` : `This changes ${what}.`;
}

/** Return the request that sends the form, or that only TRIES it, and the controls by pointer. */
export function request({ tries = false, allowDuplicate = false, reason = null } = {}) {
  const { units, controls } = readForm();
  const why = reason ? { reason } : {};
  const options = allowDuplicate ? "?allow_duplicate=true" : "";
  const creation = `/incidents${tries ? "/dry-run" : ""}${options}`;
  if (!record) {
    const status = asDraft.checked && may("set a status") ? { status: "draft" } : {};
    return { controls, method: "POST", path: creation, body: { ...whole(units), ...status, ...why } };
  }
  if (isCorrection()) {
    const body = { corrects: record.id, version: record.version, ...changed(units, before), ...why };
    return { controls, method: "POST", path: creation, body };
  }
  const path = `/incidents/${record.id}${tries ? "?dry_run=true" : ""}`;
  return { controls, method: "PATCH", path, version: record.version, body: { ...changed(units, before), ...why } };
}
