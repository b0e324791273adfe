// One record: what it holds, its history, and what may be done with it.
import { alike } from "./check.js";
import { decision, restore, withdraw } from "./decisions.js";
import { attempt, button, goTo, labelled, make, stored } from "./elements.js";
import { change } from "./entry.js";
import { may, whose } from "./key.js";
import { claims, face, facts } from "./record_view.js";
import { ask } from "./requests.js";

const section = document.getElementById("record");
const [alarms, listed] = [section.querySelector(":scope > .alarm"), section.querySelector(".listed")];
const field = document.getElementById("record-id");

/** Return the id at the end of a TEXT, which may be the address of a record. */
export const idOf = (text) => text.trim().replace(/[?#].*$/, "").split("/").findLast(Boolean) ?? "";

/** Show the record with ID. */
export function showRecord(id) {
  field.value = id;
  listed.replaceChildren();
  return attempt(alarms, async () => {
    const path = `/incidents/${encodeURIComponent(id)}`;
    const [{ content: record }, { content: history }] = await Promise.all([ask("GET", path), ask("GET", `${path}/versions?patch=false`)]);
    listed.replaceChildren(make("article", { class: "panel", tabindex: "-1" },
      face(record), make("p", {}, make("span", { class: "tag" }, record.status), ` version ${record.version}`),
      record.review ? make("p", { class: "disputed" }, "Rejected: ", stored(record.review)) : null,
      record.summary ? make("p", {}, stored(record.summary)) : null,
      facts(record), claims(record), ...actions(record, history.data), versions(record, history.data)));
    goTo(listed.firstChild);
  });
}

function actions(record, history) {
  if (!whose()) return [make("p", { class: "hint" }, "Use a key to change it.")];
  const again = () => showRecord(record.id);
  const similar = make("div", {});
  const box = make("div", { class: "alarm", role: "alert" });
  const buttons = [button("Records that look alike", () => attempt(box, () => showAlike(record, similar)))];
  if (["draft", "published"].includes(record.status)) {
    buttons.unshift(button(may("publish") || record.status === "draft" ? "Change it" : "Correct it by a draft", () => change(record)));
    if (may("publish")) buttons.push(button("Compare with another", () => { location.hash = `#pairs=${record.id}`; }));
  }
  return [make("p", { class: "buttons" }, ...buttons), box, similar, ...ending(record, history, again)];
}

/** Withdraw what stands; bring back what does not. */
function ending(record, history, again) {
  if (["withdrawn", "merged"].includes(record.status)) {
    const last = history.findLast((one) => ["draft", "published"].includes(one.status));
    return may("restore") && last ? [decision("Reason", [[`Restore version ${last.version}`, (reason) => restore(record, last.version, reason).then(again)]])] : [];
  }
  if (!may("publish") && record.status === "published") return [];
  const code = document.getElementById("codes").cloneNode(true);
  code.removeAttribute("id");
  code.hidden = false;
  return [make("details", {}, make("summary", {}, "Withdraw it"),
    decision("Reason", [["Withdraw", (reason) => withdraw(record, code.value, reason).then(again)]], labelled("Why, as the public is told", code)))];
}

async function showAlike(record, box) {
  const { content } = await ask("GET", `/incidents/${record.id}/similar`);
  box.replaceChildren(content.data.length ? alike(content.data) : make("p", {}, "None looks like the same event."));
}

function versions(record, history) {
  const line = (one) => make("li", {}, `Version ${one.version}, ${one.action ?? one.code ?? "changed"}`, one.actor ? ` by ${one.actor}` : "", ` on ${one.at.slice(0, 10)}`,
    one.reason ? [": ", stored(one.reason)] : "",
    may("restore") && record.status !== "withdrawn" && one.version < record.version && one.status === record.status
      ? [" ", button(`Bring version ${one.version} back`, () => attempt(alarms, () => restore(record, one.version).then(() => showRecord(record.id))))] : "");
  return make("section", {}, make("h3", {}, "History"), make("ol", { class: "history" }, ...history.toReversed().map(line)));
}

document.getElementById("find-record").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = idOf(field.value);
  if (!id) return;
  if (location.hash === `#record=${id}`) showRecord(id);
  else location.hash = `#record=${id}`;
});
