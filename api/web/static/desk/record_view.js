// A record in full: its fields, and its claims side by side.
import { make, stored } from "./elements.js";
import { claimInWords, countInWords, dateInWords, fieldName, spell } from "./words.js";

const HIDDEN = new Set(["id", "url", "version", "status", "title", "date", "date_start", "date_end", "date_precision", "country", "sources",
  "created_at", "updated_at", "former_ids", "number_of_sources", "geonames_id", "place_id", "corrects", "review"]);

const row = (name, value) => make("div", {}, make("dt", {}, name), make("dd", {}, make("bdi", {}, value)));

/** The fields of a RECORD that say something. */
export function facts(record) {
  const rows = [row("Date", dateInWords(record.date))];
  for (const [name, value] of Object.entries(record)) {
    if (name.endsWith("_text")) {
      const count = name.slice(0, -"_text".length);
      rows.push(row(fieldName(count), countInWords({ best: record[count], low: record[`${count}_low`], high: record[`${count}_high`] })));
    } else if (!HIDDEN.has(name) && !(`${name.replace(/_(low|high)$/, "")}_text` in record) && value !== null && String(value) !== "") {
      rows.push(row(fieldName(name), spell(name, value)));
    }
  }
  return make("dl", { class: "rows" }, ...rows);
}

/** What the sources of a RECORD claim: field, figure, words, paragraph, who says so. */
export function claims(record) {
  const heads = ["Figure", "Words", "Paragraph", "Who says so", "Article"];
  const rows = record.sources.flatMap(({ article, locator, claims: said }) => said.map((claim) => [claim, locator, article]));
  const articles = record.sources.map(({ article }) => make("li", {}, article.url
    ? make("a", { href: article.url, rel: "noopener external" }, stored(article.title ?? article.url)) : stored(article.title)));
  if (!rows.length) return make("div", {}, make("p", {}, articles.length ? "No claims are recorded." : "No source is recorded."), make("ul", {}, ...articles));
  const cells = ([claim, locator, article]) => [claimInWords(claim), claim.text, locator,
    [claim.attributed_to, claim.community, claim.scope].filter(Boolean).join("; "), article.publisher ?? article.title ?? article.url];
  return make("div", {},
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Claims of ${record.id}` },
      make("table", { class: "stacking" }, make("caption", {}, "Claims"),
        make("thead", {}, make("tr", {}, ...["Field", ...heads].map((head) => make("th", { scope: "col" }, head)))),
        make("tbody", {}, ...rows.map((one) => make("tr", {}, make("th", { scope: "row" }, fieldName(one[0].field)),
          ...cells(one).map((text, index) => make("td", { "data-head": heads[index] }, make("bdi", {}, text || "–")))))))),
    make("ul", {}, ...articles));
}

/** Title, date and place in a line or two, with the address of the public page. */
export function face(record) {
  const where = [record.city, record.country_name].filter(Boolean).join(", ");
  return make("p", {}, make("strong", {}, stored(record.title)), make("br", {}),
    [dateInWords(record.date), where].filter(Boolean).join(", "), " ", make("code", {}, record.id));
}
