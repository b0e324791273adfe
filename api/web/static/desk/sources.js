// Sources: an article is typed once, and each claim may name its own paragraph of it. In the record,
// the claims of one paragraph are one source.
import { fill, isEmpty, read } from "./controls.js";
import { addRow } from "./rows.js";

const named = (within, name) => within.querySelector(`[data-name="${name}"]`);
const articleOf = (block) => block.querySelector(".article");
const locatorOf = (block) => block.querySelector(':scope > .field [data-name="locator"]');
const claimsOf = (block) => [...block.querySelectorAll("[data-row=claims]")];

/** Show of a claim what its field is given by: a figure, a date, a type, a yes or no. */
export function showClaimValue(row) {
  const field = named(row, "field").value;
  const own = row.querySelector(`[data-for="${field}"]`) ? field : "count";
  for (const control of row.querySelectorAll("[data-for]")) control.hidden = control.dataset.for !== own;
}

/** Return what a claim says, and the control of each member. */
export function readClaim(row) {
  const claim = {};
  const controls = {};
  for (const control of row.querySelectorAll("[data-name]")) {
    if (control.closest("[data-for]")?.hidden) continue;
    const { name } = control.dataset;
    controls[name] = control;
    const value = read(control);
    if (!isEmpty(value)) claim[name] = value;
  }
  return { claim, controls };
}

/** Return all sources of the form; note in CONTROLS, by JSON pointer, where each member is typed. */
export function readSources(form, controls) {
  const sources = [];
  for (const block of form.querySelectorAll("[data-row=sources]")) {
    for (const source of sourcesOf(block)) readSource(block, source, `/sources/${sources.push(null) - 1}`, sources, controls);
  }
  return sources;
}

/** Return the paragraphs of a block, each with the rows of its claims. */
function sourcesOf(block) {
  const groups = new Map();
  for (const row of claimsOf(block)) {
    const locator = row.querySelector("[data-locator]").value.trim() || read(locatorOf(block));
    groups.set(locator, [...(groups.get(locator) ?? []), row]);
  }
  return groups.size ? [...groups] : [[read(locatorOf(block)), []]];
}

function readSource(block, [locator, rows], pointer, sources, controls) {
  const article = readArticle(block, `${pointer}/article`, controls);
  controls.set(`${pointer}/locator`, locatorOf(block));
  const claims = rows.map((row, index) => {
    const found = readClaim(row);
    controls.set(`${pointer}/claims/${index}`, found.controls.field);
    for (const [name, control] of Object.entries(found.controls)) controls.set(`${pointer}/claims/${index}/${name}`, control);
    return found.claim;
  });
  sources[sources.length - 1] = { article, ...(locator && { locator }), ...(claims.length && { claims }) };
}

function readArticle(block, pointer, controls) {
  const first = named(articleOf(block), "url");
  controls.set(pointer, block.dataset.article ? locatorOf(block) : first);
  if (block.dataset.article) return { id: block.dataset.article };
  const article = {};
  for (const control of articleOf(block).querySelectorAll("[data-name]")) {
    controls.set(`${pointer}/${control.dataset.name}`, control);
    const value = read(control);
    if (!isEmpty(value)) article[control.dataset.name] = value;
  }
  return article;
}

/** Put the SOURCES of a record into LIST; neighbours of one article share a block. */
export function fillSources(list, sources) {
  list.replaceChildren();
  let block = null;
  for (const source of sources) {
    if (!joins(block, source)) block = addBlock(list, source);
    for (const claim of source.claims) addClaim(block, claim, source.locator);
  }
}

/** Whether a SOURCE can stand in BLOCK and be read from it as it was. */
const joins = (block, { article, locator, claims }) =>
  block?.dataset.article === article.id && claims.length > 0 && claimsOf(block).length > 0
  && (locator !== null || read(locatorOf(block)) === null);

function addBlock(list, { article, locator }) {
  const block = addRow("source", list);
  holdArticle(block, article);
  fill(locatorOf(block), locator);
  return block;
}

/** Let BLOCK stand for an article that is held. */
export function holdArticle(block, article) {
  block.dataset.article = article.id;
  block.querySelector(".held").hidden = false;
  articleOf(block).hidden = true;
  block.querySelector("[data-held]").textContent = [article.title, article.publisher, article.published, article.url].filter(Boolean).join(", ");
}

function addClaim(block, claim, locator) {
  const row = addRow("claim", block.querySelector("[data-rows=claims]"));
  fill(named(row, "field"), claim.field);
  showClaimValue(row);
  for (const control of row.querySelectorAll("[data-name]")) {
    if (!control.closest("[data-for]")?.hidden) fill(control, claim[control.dataset.name]);
  }
  row.querySelector("[data-locator]").value = locator === read(locatorOf(block)) ? "" : locator ?? "";
}
