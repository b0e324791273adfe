// Values of a record in words, no more precise than they are.
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAY = "(\\d{4})-(\\d\\d)-(\\d\\d)";
const label = (selector) => document.querySelector(selector)?.textContent.trim();

/** Name a field as the form does. */
export function fieldName(name) {
  if (name === "country_name") return fieldName("country");
  const control = document.querySelector(`#entry [data-name="${name}"]`);
  const own = control?.labels?.[0] ?? control?.querySelector("legend");
  return own?.textContent.trim() ?? label(`#entry .counts [data-count="${name}"] legend`) ?? sentence(name);
}

function sentence(name) {
  const text = name.replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}

function term(name, value) {
  const option = label(`#entry select[data-name="${name}"] option[value="${CSS.escape(value)}"]`);
  const box = document.querySelector(`#entry [data-name="${name}"] input[value="${CSS.escape(value)}"]`);
  return option ?? box?.parentElement.textContent.trim() ?? value;
}

const day = (year, month, date) => `${+date} ${MONTHS[month - 1]} ${+year}`;

/** Say a date of the grammar; nothing where it is none (the service says what is wrong). */
export function dateInWords(text) {
  const one = (part) => {
    const match = part.match(`^${DAY}$`);
    return match && MONTHS[match[2] - 1] && +match[3] >= 1 && +match[3] <= 31 ? day(...match.slice(1)) : null;
  };
  const month = text.match(/^(\d{4})-(\d\d)$/);
  if (one(text)) return one(text);
  if (month && MONTHS[month[2] - 1]) return `some day in ${MONTHS[month[2] - 1]} ${+month[1]}`;
  if (/^\d{4}$/.test(text)) return `some day in ${+text}`;
  const [start, end] = text.split("/").map(one);
  if (start && end) return `it lasted from ${start} to ${end}`;
  if (!text.includes("..")) return "";
  const [from, until] = text.split("..");
  if (one(from) && one(until)) return `once, on some day from ${one(from)} to ${one(until)}`;
  if (one(from) && until === "") return `some day on or after ${one(from)}`;
  return one(until) && from === "" ? `some day on or before ${one(until)}` : "";
}

/** Say a count of three ends, each a number or null. */
export function countInWords({ best, low, high }) {
  const said = (number) => number.toLocaleString("en");
  if (best === null && low === null && high === null) return "not reported";
  const bounds = [low === null ? "" : `at least ${said(low)}`, high === null ? "" : `at most ${said(high)}`].filter(Boolean).join(", ");
  if (best === null) return low !== null && high !== null ? `${said(low)} to ${said(high)}` : bounds;
  if (low === best && high === best) return best === 0 ? "0: reported as none" : `${said(best)}, exactly`;
  return bounds ? `${said(best)} (${bounds})` : `about ${said(best)}`;
}

/** Say what a claim gives. */
export function claimInWords({ field, value, low, high }) {
  if (typeof value === "number") return value.toLocaleString("en");
  if (value !== null && value !== undefined) return field === "date" ? dateInWords(value) : spell(field, value);
  return low === null && high === null ? "in words only" : countInWords({ best: null, low, high });
}

/** Say a value of any field. */
export function spell(name, value) {
  if (value === null || value === undefined || value === "") return "none";
  if (value === true) return "yes";
  if (value === false) return "no";
  if (name === "date") return `${value} (${dateInWords(value)})`;
  if (name === "sources") return value.map(sourceInWords).join("; ") || "none";
  if (Array.isArray(value)) return value.map((item) => spell(name, item)).join(", ") || "none";
  if (typeof value === "object" && "role" in value) return communityInWords(value);
  if (typeof value === "object") {
    return Object.entries(value).filter(([, item]) => item !== null && String(item) !== "")
      .map(([member, item]) => `${member.replaceAll("_", " ")}: ${spell(member, item)}`).join(", ");
  }
  return typeof value === "number" ? String(value) : term(name, value);
}

function communityInWords({ community, role, participants = null, participants_low: low = null, participants_high: high = null, organisations = [] }) {
  const size = countInWords({ best: participants, low, high });
  return [`${community} (${term("role", role).toLowerCase()})`, size === "not reported" ? "" : size, ...organisations].filter(Boolean).join(", ");
}

const sourceInWords = ({ article, locator, claims }) =>
  [article.title ?? article.url ?? article.id, locator, ...claims.map((claim) => `${fieldName(claim.field).toLowerCase()} ${claimInWords(claim)}`)]
    .filter(Boolean).join(", ");
