// The key: typed, kept in memory, or for the tab where that is chosen; and what it may do.
import { alarm, busy, goTo, make, stored } from "./elements.js";
import { ask, useKey } from "./requests.js";

const STORE = "desk-key";
const form = document.getElementById("key-form");
const field = document.getElementById("key");
const keep = document.getElementById("keep-key");
const forget = document.getElementById("forget-key");
const who = document.getElementById("who");
const typing = document.getElementById("typing-key");
let holder = null;
const listeners = [];

/** Whether the key that is used may do WHAT, in the words of the API's permissions. */
export const may = (what) => holder?.may.includes(what) ?? false;
/** Whose the key is, or null. */
export const whose = () => holder;
/** Call ACT whenever another key is used. */
export const onKey = (act) => listeners.push(act);

function changed(next) {
  holder = next;
  forget.hidden = !next;
  typing.hidden = next !== null;
  who.replaceChildren(...(next ? said(next) : []));
  for (const act of listeners) act();
}

const said = ({ name, role, may: permissions }) => [make("p", {}, "This is the key of ", stored(name), `, ${role}.`),
  make("details", {}, make("summary", {}, "What it may do"), make("ul", {}, ...permissions.map((one) => make("li", {}, one))))];

async function begin(text) {
  useKey(text);
  alarm(document.getElementById("key-alarm"));
  try {
    changed((await ask("GET", "/me")).content);
    if (typing.contains(document.activeElement) || document.activeElement === document.body) goTo(forget);
    if (keep.checked) sessionStorage.setItem(STORE, text);
    field.value = "";
  } catch (error) {
    useKey("");
    sessionStorage.removeItem(STORE);
    changed(null);
    alarm(document.getElementById("key-alarm"), error);
    field.focus();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (field.value.trim()) busy(event.submitter ?? form, () => begin(field.value.trim()));
});
forget.addEventListener("click", () => {
  sessionStorage.removeItem(STORE);
  useKey("");
  changed(null);
  field.focus();
});

/** Use the key that this tab remembers, if it does. */
export function resume() {
  const text = sessionStorage.getItem(STORE);
  keep.checked = text !== null;
  return text === null ? null : begin(text);
}
