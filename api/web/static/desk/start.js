// The desk: its parts, one at a time, by the fragment of the address.
import { loadDrafts } from "./drafts.js";
import { alarm, goTo } from "./elements.js";
import { loadImports } from "./imports.js";
import { onKey, resume, whose } from "./key.js";
import { compareWith } from "./pairs.js";
import "./places.js";
import { showRecord } from "./records.js";
import { loadVocabulary } from "./vocabulary.js";

const PARTS = ["new", "drafts", "record", "pairs", "imports"];
const OPENED = {
  drafts: () => loadDrafts(),
  record: (id) => id && showRecord(id),
  pairs: (id) => id && compareWith(id),
  imports: () => (whose() ? loadImports() : null),
};

/** Show the part that the address names, and bring what it shows. */
function show({ moved = true } = {}) {
  const [name, value] = location.hash.slice(1).split("=");
  const part = PARTS.includes(name) ? name : "new";
  for (const one of PARTS) document.getElementById(one).hidden = one !== part;
  for (const link of document.querySelectorAll(".parts a")) {
    if (link.hash === `#${part}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (moved) goTo(document.getElementById(`${part}-heading`));
  return OPENED[part]?.(value && decodeURIComponent(value));
}

addEventListener("hashchange", () => show());
let offered = false;
// The names of communities and episodes come with the first key; without them the form works too.
onKey(() => {
  if (offered || !whose()) return;
  offered = true;
  loadVocabulary().catch((error) => alarm(document.getElementById("key-alarm"), error));
});
onKey(() => { if (location.hash.startsWith("#drafts") || location.hash.startsWith("#imports")) show({ moved: false }); });
show({ moved: false });
resume();
