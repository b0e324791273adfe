// Imports: a file tried and taken, what became of its lines, and all of it undone.
import { told } from "./check.js";
import { decision, revert } from "./decisions.js";
import { attempt, busy, button, goTo, make, stored } from "./elements.js";
import { ask, Failure, pathOf } from "./requests.js";

const section = document.getElementById("imports");
const [alarms, listed] = [section.querySelector(":scope > .alarm"), section.querySelector(".listed")];
const [form, file, skip, imported] = ["import-form", "import-file", "skip-bad", "imported"].map((id) => document.getElementById(id));
const TYPES = { csv: "text/csv", ndjson: "application/x-ndjson", json: "application/json" };
const COUNTS = ["created", "changed", "unchanged", "skipped", "duplicates"];

/** Load the imports, the newest first. */
export const loadImports = () => attempt(alarms, () => load("/imports"));

async function load(path, more = []) {
  const { content } = await ask("GET", path);
  const cards = [...more, ...content.data.map(card)];
  const following = content.next && button("Earlier imports", () => attempt(alarms, () => load(pathOf(content.next), cards)));
  listed.replaceChildren(cards.length ? make("ul", { class: "cards" }, ...cards) : make("p", {}, "There are no imports."), ...(following ? [following] : []));
}

const numbers = (answer) => COUNTS.filter((name) => answer[name]).map((name) => `${answer[name].toLocaleString("en")} ${name}`).join(", ") || "nothing";

function card(one) {
  const undone = async (reason) => {
    const { content } = await revert(one.id, reason);
    const item = listed.querySelector(`[data-id="${one.id}"]`);
    item.replaceChildren(make("p", { tabindex: "-1" }, `Import ${one.id} is undone: ${content.withdrawn} withdrawn, ${content.restored} restored, ${content.number_of_kept} kept as they are.`),
      make("ul", {}, ...content.kept.map(({ id, why }) => make("li", {}, make("a", { href: `#record=${id}` }, id), `: ${why}`))));
    goTo(item.firstChild);
  };
  return make("li", { class: "panel", "data-id": one.id },
    make("p", {}, make("code", {}, one.id), ` of ${one.at.slice(0, 16).replace("T", " ")} UTC, by ${one.actor}`, one.file ? [": ", stored(one.file)] : "", `: ${numbers(one)}.`),
    one.reverted_at ? make("p", {}, `Undone on ${one.reverted_at.slice(0, 10)}.`)
      : make("details", {}, make("summary", {}, "Undo it"), decision("Reason", [["Undo the import", undone]])));
}

async function send(tries) {
  const [chosen] = file.files;
  if (!chosen) throw new Failure("Choose a file first.");
  const type = TYPES[chosen.name.split(".").pop().toLowerCase()] ?? chosen.type;
  const options = new URLSearchParams({ ...(tries && { dry_run: "true" }), ...(skip.checked && { on_error: "skip" }) });
  const { content } = await ask("POST", `/imports?${options}`, { body: chosen, type });
  imported.replaceChildren(make("p", { tabindex: "-1" }, `${tries ? "It would be" : "It was taken"}: ${numbers(content)}.`), ...rejected(content.rejected ?? []),
    ...(content.warnings.length ? [make("h3", {}, "To be known"), told(content.warnings)] : []));
  goTo(imported.firstChild);
  if (!tries) await load("/imports");
}

/** The lines that were left out, each with what is wrong. */
function rejected(lines) {
  if (!lines.length) return [];
  const row = ({ line, text, errors }) => make("tr", {}, make("th", { scope: "row" }, String(line)),
    make("td", { "data-head": "What is wrong" }, ...errors.map((one) => make("p", {}, [one.pointer, one.detail].filter(Boolean).join(": ")))),
    make("td", { "data-head": "The line" }, make("bdi", {}, text ?? "")));
  return [make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Rejected lines" },
    make("table", { class: "stacking" }, make("caption", {}, "Rejected lines"),
      make("thead", {}, make("tr", {}, ...["Line", "What is wrong", "The line"].map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...lines.map(row))))];
}

/** Send the file; all that is wrong with its lines is listed with what failed. */
async function attemptImport(tries) {
  imported.replaceChildren();
  let faults = [];
  await attempt(alarms, async () => {
    try {
      await send(tries);
    } catch (error) {
      faults = error.problem?.errors ?? [];
      throw error;
    }
  });
  if (faults.length) imported.replaceChildren(...rejected(faults.map((one) => ({ line: one.line ?? "", text: "", errors: [one] }))));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  busy(event.submitter ?? form, () => attemptImport(false));
});
document.getElementById("try-import").addEventListener("click", ({ target }) => busy(target, () => attemptImport(true)));
section.querySelector(".again").addEventListener("click", loadImports);
