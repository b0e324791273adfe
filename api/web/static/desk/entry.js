// Entering an incident: what happens to the form as one types, tries and sends it.
import { alike, checkSoon, dropCheck, showTrial, told } from "./check.js";
import { sayCount } from "./counts.js";
import { difference, fieldsThatDiffer, table } from "./differences.js";
import { alarm, attempt, busy, button, goTo, make, stored } from "./elements.js";
import { clearFaults, showFaults } from "./faults.js";
import { adopt, form, list } from "./incident_form.js";
import { may, onKey } from "./key.js";
import { ask } from "./requests.js";
import { addRow, listOf, removeRow } from "./rows.js";
import { readClaim, showClaimValue } from "./sources.js";
import { aboutTask, beginChange, beginNew, changes, rebase, recordAtHand, request } from "./task.js";
import { sayCommunity } from "./vocabulary.js";
import { dateInWords } from "./words.js";

const [alarms, conflict, sent, reason, heading, about, send] = ["entry-alarm", "conflict", "sent", "reason", "new-heading", "entry-about", "send"]
  .map((id) => document.getElementById(id));
let attempted = { content: "", retry: "" }; // what was sent last, and the key of its retries

function begin(act) {
  dropCheck();
  act();
  clearFaults(form);
  alarm(alarms);
  conflict.replaceChildren();
  describe();
}

function describe() {
  const record = recordAtHand();
  heading.textContent = record ? "Changing a record" : "A new incident";
  about.textContent = aboutTask();
  document.getElementById("as-draft-choice").hidden = record !== null || !may("set a status");
  form.querySelector("[data-name=date]").dispatchEvent(new Event("input"));
}

/** Open the form for the record that was read. */
export function change(record) {
  begin(() => beginChange(record));
  sent.replaceChildren();
  location.hash = "#new";
  goTo(heading);
}

function startOver() {
  begin(beginNew);
  reason.value = "";
}

/** Return the key that makes a repeated request safe: one for each content. */
function retryOf(content) {
  if (attempted.content !== content) {
    const drawn = crypto.getRandomValues(new Uint8Array(16));
    attempted = { content, retry: [...drawn].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
  }
  return attempted.retry;
}

async function submit({ tries = false, allowDuplicate = false } = {}) {
  dropCheck();
  clearFaults(form);
  alarm(alarms);
  for (const box of [conflict, sent]) box.replaceChildren();
  const { controls, method, path, body, version } = request({ tries, allowDuplicate, reason: reason.value.trim() });
  const retry = method === "POST" && !tries ? retryOf(JSON.stringify([path, body])) : undefined;
  try {
    const { content, warnings } = await ask(method, path, { body, version, retry });
    if (tries) return shown(content);
    done(content, warnings);
  } catch (error) {
    await failed(error, controls);
  }
}

function shown(content) {
  showTrial(content);
  goTo(document.getElementById("check-heading"));
}

function done(record, warnings) {
  attempted = { content: "", retry: "" };
  const articles = recordAtHand() ? [] : [...list("sources").children];
  startOver();
  sent.replaceChildren(
    make("p", {}, record.status === "draft" ? "The draft was sent: " : "It was published: ", make("a", { href: `#record=${record.id}` }, stored(record.title)), ` (${record.id}, version ${record.version}).`),
    ...(warnings.length ? [make("p", {}, "To be known:"), told(warnings.filter((one) => !one.similar)), alike(warnings.filter((one) => one.similar).map((one) => one.similar))] : []),
    ...(articles.length ? [make("p", {}, button("Another incident from the same article", () => another(articles)))] : []));
  goTo(sent);
}

/** Begin a new record with ARTICLES as they were typed, without their claims. */
function another(articles) {
  startOver();
  list("sources").append(...articles);
  for (const claims of form.querySelectorAll("[data-rows=claims]")) claims.replaceChildren();
  sent.replaceChildren();
  goTo(heading);
}

async function failed(error, controls) {
  if (error.status === 412) return showConflict();
  alarm(alarms, error, error.problem ? null : () => submit());
  const box = alarms.firstChild;
  if (error.status === 422) {
    const rest = showFaults(error.problem.errors, controls);
    if (rest.length) box.append(told(rest));
    const first = form.querySelector("[aria-invalid]");
    if (first) return goTo(first);
  }
  if (error.problem?.similar) {
    box.append(alike(error.problem.similar), button("It is another event: send it", () => submit({ allowDuplicate: true })));
  }
  return goTo(alarms);
}

/** Show what changed meanwhile beside what was changed here. */
async function showConflict() {
  const base = recordAtHand();
  return attempt(alarms, async () => {
    const { content: now } = await ask("GET", `/incidents/${base.id}`);
    const mine = changes();
    const theirs = fieldsThatDiffer(base, now);
    conflict.replaceChildren(
      make("p", { class: "disputed" }, `The record changed while you worked: it stands at version ${now.version}, you began with ${base.version}.`),
      difference("What changed meanwhile", [`Version ${base.version}`, `Version ${now.version}`], base, now),
      table("What you changed", ["You began with", "It is now", "You want"], Object.keys(mine).map((name) => [name, base[name], now[name], mine[name]])),
      ...(theirs.some((name) => name in mine) ? [make("p", {}, "Where both changed a field, yours is kept in the form. Change it there, if theirs is right.")] : []),
      button(`Put my changes on version ${now.version}`, () => takeOver(now)));
    goTo(conflict);
  });
}

function takeOver(now) {
  rebase(now);
  conflict.replaceChildren();
  describe();
  checkSoon();
  goTo(send);
}

function add(control) {
  const kind = control.dataset.add;
  const row = addRow(kind, kind === "claim" ? listOf(control) : list(kind === "community" ? "communities" : "sources"));
  row.querySelector("input, select").focus();
}

function adoptClaim(control) {
  const { claim } = readClaim(control.closest("[data-row]"));
  const target = claim.field && adopt(claim);
  if (!target) return;
  target.dispatchEvent(new Event("input", { bubbles: true }));
  window.page.announce("The claim's figure stands in the record.");
}

form.addEventListener("click", ({ target }) => {
  if (target.matches("[data-add]")) add(target);
  else if (target.matches(".remove")) removeRow(target.closest("[data-row]"));
  else if (target.matches("[data-adopt]")) adoptClaim(target);
  else return;
  checkSoon();
});
form.addEventListener("input", ({ target }) => {
  const count = target.closest("[data-count]");
  if (count) sayCount(count);
  if (target.matches("[data-row=communities] [data-name=community]")) sayCommunity(target);
  if (target.matches("[data-row=claims] [data-name=field]")) showClaimValue(target.closest("[data-row]"));
  checkSoon();
});
form.querySelector("[data-name=date]").addEventListener("input", ({ target }) => {
  document.getElementById("date-words").textContent = dateInWords(target.value.trim());
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  busy(send, submit);
});
document.getElementById("try").addEventListener("click", ({ target }) => busy(target, () => submit({ tries: true })));
document.getElementById("start-over").addEventListener("click", () => {
  startOver();
  sent.replaceChildren();
  goTo(heading);
});
onKey(() => {
  describe();
  checkSoon();
});
describe();
