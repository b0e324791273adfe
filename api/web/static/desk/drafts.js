// The queue: drafts with what they would change, to publish, reject, change or withdraw.
import { decision, publish, reject, withdraw } from "./decisions.js";
import { difference, table } from "./differences.js";
import { attempt, button, goTo, make, stored } from "./elements.js";
import { change } from "./entry.js";
import { may, whose } from "./key.js";
import { claims, face, facts } from "./record_view.js";
import { ask, Failure, pathOf } from "./requests.js";

const section = document.getElementById("drafts");
const [alarms, listed] = [section.querySelector(":scope > .alarm"), section.querySelector(".listed")];

/** Load the queue, the drafts that changed last first. */
export const loadDrafts = () => attempt(alarms, async () => {
  if (!whose()) throw new Failure("Use a key first: drafts are shown to those who write them, and to editors.");
  await load("/incidents?status=draft&sort=-updated_at&limit=50");
});

async function load(path, more = []) {
  const { content } = await ask("GET", path);
  const cards = [...more, ...content.data.map(card)];
  const following = content.next && button("More drafts", () => attempt(alarms, () => load(pathOf(content.next), cards)));
  listed.replaceChildren(cards.length ? make("ul", { class: "cards" }, ...cards) : make("p", {}, "There are no drafts."), ...(following ? [following] : []));
}

function card(draft) {
  const body = make("div", {});
  const box = make("div", { class: "alarm", role: "alert" });
  return make("li", { class: "panel", "data-id": draft.id }, face(draft),
    draft.corrects ? make("p", {}, "Corrects ", make("a", { href: `#record=${draft.corrects}` }, draft.corrects), ".") : null,
    draft.review ? make("p", { class: "disputed" }, "Rejected: ", stored(draft.review)) : null,
    box, make("p", { class: "buttons" }, button("Look at it", () => attempt(box, () => look(draft, body)), { "aria-label": `Look at it: ${draft.title}` })), body);
}

async function look({ id }, body) {
  const [{ content: draft }, { content: history }] = await Promise.all([ask("GET", `/incidents/${id}`), ask("GET", `/incidents/${id}/versions?patch=false`)]);
  const first = history.data[0];
  const shown = draft.corrects ? [await correction(draft)] : [make("div", {}, draft.summary ? make("p", {}, stored(draft.summary)) : null, facts(draft)), claims(draft)];
  body.replaceChildren(make("p", { class: "hint" }, `By ${first.actor}; version ${draft.version}.`), ...shown, ...decisions(draft, body));
  goTo(body);
}

/** What publishing would change in the record that the draft corrects. */
async function correction(draft) {
  if (!may("publish")) {
    const { content: record } = await ask("GET", `/incidents/${draft.corrects}`);
    return difference("What it would change", ["Published", "This draft"], record, draft);
  }
  const { content } = await ask("POST", `/incidents/${draft.id}/publish?dry_run=true`, { version: draft.version, body: {} });
  return make("div", {},
    table("What it would change", ["Published", "This draft"], content.changes.map((one) => [one.field, one.from, one.to])),
    content.emptied.length ? make("p", { class: "disputed" }, `It would empty or shorten: ${content.emptied.join(", ")}.`) : null,
    content.conflicts.length ? table("Both changed", ["It began with", "Published now", "This draft"], content.conflicts.map((one) => [one.field, one.base, one.current, one.draft])) : null);
}

function decisions(draft, body) {
  const settled = (text) => async () => {
    const item = body.closest("li");
    item.replaceChildren(make("p", { tabindex: "-1" }, text, " ", make("a", { href: `#record=${draft.corrects ?? draft.id}` }, stored(draft.title))));
    goTo(item.firstChild);
  };
  const changing = make("p", { class: "buttons" }, button("Change it", () => change(draft)));
  const own = decision("Reason", [["Withdraw the draft", (reason) => withdraw(draft, "error", reason).then(settled("Withdrawn:"))]]);
  if (!may("publish")) return [changing, own];
  return [changing, decision("Reason (an author reads why a draft is rejected)", [
    ["Publish", (reason) => publish(draft, reason).then(settled("Published:"))],
    ["Reject", (reason) => reject(draft, reason).then(settled("Rejected:"))],
  ])];
}

section.querySelector(".again").addEventListener("click", loadDrafts);
