// Communities and episodes, offered by their names; and which community a name is of.
import { ask, pathOf } from "./requests.js";

const communities = new Map(); // every name and alias, folded -> name

async function all(path) {
  const terms = [];
  for (let next = `${path}?limit=1000`; next;) {
    const { content } = await ask("GET", next);
    terms.push(...content.data);
    next = content.next && pathOf(content.next);
  }
  return terms;
}

function offer(id, terms) {
  document.getElementById(id).replaceChildren(...terms.map((term) => Object.assign(document.createElement("option"), { value: term.name })));
}

const folded = (text) => text.trim().toLocaleLowerCase("en");

/** Say below a community's field which one its name is of. */
export function sayCommunity(control) {
  const name = communities.get(folded(control.value));
  control.parentElement.querySelector("[data-known]").textContent = name && folded(name) !== folded(control.value) ? `This is ${name}.` : "";
}

/** Load the names. Without them the form works, and offers none. */
export async function loadVocabulary() {
  const [groups, episodes] = await Promise.all(["/communities", "/episodes"].map(all));
  for (const { id, name, aliases } of groups) {
    for (const alias of [id, name, ...aliases]) communities.set(folded(alias), name);
  }
  offer("communities", groups);
  offer("episodes", episodes);
}
