// Differences between records, field by field, as a table that a phone can read.
import { make } from "./elements.js";
import { fieldName, spell } from "./words.js";

const BY_THEMSELVES = new Set(["id", "url", "version", "status", "created_at", "updated_at", "review", "corrects", "former_ids",
  "date_start", "date_end", "date_precision", "country_name", "disputed", "number_of_sources", "place_id"]);

/** The fields in which two records differ, but for those that follow from others. */
export function fieldsThatDiffer(one, other) {
  return Object.keys({ ...one, ...other }).filter((name) =>
    !BY_THEMSELVES.has(name) && !name.endsWith("_text") && JSON.stringify(one[name]) !== JSON.stringify(other[name]));
}

/** A table with a row a field: ROWS are `[field, …values]`, HEADS name the columns. */
export function table(caption, heads, rows) {
  const cell = (head, name, value) => make("td", { "data-head": head }, make("bdi", {}, typeof value === "string" && name === null ? value : spell(name, value)));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    make("table", { class: "stacking" }, make("caption", {}, caption),
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Field"), ...heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...rows.map(([name, ...values]) => make("tr", {},
        make("th", { scope: "row" }, fieldName(name)), ...values.map((value, index) => cell(heads[index], name, value)))))));
}

/** A table of what differs between two records. */
export function difference(caption, heads, one, other) {
  const names = fieldsThatDiffer(one, other);
  if (!names.length) return make("p", {}, "Nothing differs.");
  return table(caption, heads, names.map((name) => [name, one[name], other[name]]));
}
