// Two records side by side: one event, to be merged, or two.
import { callDistinct, decision, merge } from "./decisions.js";
import { fieldsThatDiffer, table } from "./differences.js";
import { attempt, button, goTo, labelled, make, stored } from "./elements.js";
import { may } from "./key.js";
import { idOf } from "./records.js";
import { claims, face } from "./record_view.js";
import { ask, pathOf } from "./requests.js";
import { fieldName } from "./words.js";

const section = document.getElementById("pairs");
const [alarms, listed] = [section.querySelector(":scope > .alarm"), section.querySelector(".listed")];
const compared = document.getElementById("compared");
const [first, second] = ["first-id", "second-id"].map((id) => document.getElementById(id));
const HEADLINES = compared.dataset.headlines.split(" ");

/** Let the record with ID be one of the two. */
export function compareWith(id) {
  first.value = id;
  second.focus();
}

async function show(ids) {
  const [one, other] = (await Promise.all(ids.map((id) => ask("GET", `/incidents/${encodeURIComponent(id)}`)))).map(({ content }) => content);
  const names = fieldsThatDiffer(one, other);
  const sides = [one, other].map((record) => make("div", { class: "panel" }, face(record), record.summary ? make("p", {}, stored(record.summary)) : null, claims(record)));
  compared.replaceChildren(make("h3", { tabindex: "-1" }, "Side by side"), make("div", { class: "sides" }, ...sides),
    names.length ? table("What differs", [one.id, other.id], names.map((name) => [name, one[name], other[name]])) : make("p", {}, "Nothing differs."),
    ...(may("merge") ? [judging(one, other, names)] : [make("p", { class: "hint" }, "An editor merges records, or calls them distinct.")]));
  goTo(compared.firstChild);
}

/** The judgement: which stays, which of the other's figures it takes over, and why. */
function judging(one, other, names) {
  const stays = make("select", {}, ...[one, other].map((record) => make("option", { value: record.id }, `${record.id}: ${record.title}`)));
  const boxes = HEADLINES.filter((name) => names.includes(name)).map((name) => make("label", {}, make("input", { type: "checkbox", value: name }), ` ${fieldName(name)}`));
  const merged = async (reason) => {
    const [kept, gone] = stays.value === one.id ? [one, other] : [other, one];
    await merge(gone, kept.id, boxes.map((box) => box.firstChild).filter((box) => box.checked).map((box) => box.value), reason);
    settled(`${gone.id} was merged into `, kept);
  };
  const distinct = async () => {
    await callDistinct(one, other);
    settled("They are remembered as two events: ", one, other);
  };
  return decision("Reason", [["Merge them", merged], ["They are two events", distinct]], labelled("The record that stays", stays),
    boxes.length ? make("fieldset", {}, make("legend", {}, "Take from the other record"), make("div", { class: "boxes" }, ...boxes)) : null);
}

function settled(text, ...records) {
  compared.replaceChildren(make("p", { tabindex: "-1" }, text, ...records.flatMap((record) => [make("a", { href: `#record=${record.id}` }, stored(record.title)), " "])));
  for (const { id } of records) listed.querySelector(`[data-ids~="${id}"]`)?.remove();
  goTo(compared.firstChild);
}

async function load(path, more = []) {
  const { content } = await ask("GET", path);
  const pairs = [...more, ...content.data.map(pair)];
  const following = content.next && button("Look further", () => attempt(alarms, () => load(pathOf(content.next), pairs)));
  listed.replaceChildren(pairs.length ? make("ul", { class: "cards" }, ...pairs) : make("p", {}, content.next ? "None among the records so far." : "No likely pairs."), ...(following ? [following] : []));
}

const pair = ({ incidents, score, reasons }) => make("li", { class: "panel", "data-ids": incidents.map(({ id }) => id).join(" ") },
  ...incidents.map(face), make("p", { class: "hint" }, `Likeness ${score.toFixed(2)}: ${reasons.join(", ")}`),
  button("Compare", () => attempt(alarms, () => show(incidents.map(({ id }) => id))), { "aria-label": `Compare ${incidents.map(({ id }) => id).join(" and ")}` }));

document.getElementById("find-pair").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(alarms, () => show([first, second].map((field) => idOf(field.value))));
});
section.querySelector(".again").addEventListener("click", () => attempt(alarms, () => load("/similar")));
