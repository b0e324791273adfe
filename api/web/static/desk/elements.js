// Elements made from data: text is always text, never markup.

/** Make an element; PROPERTIES are attributes, or handlers where the name begins with "on". */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== ""));
  return element;
}

/** Text as it is stored, in whichever direction it is written. */
export const stored = (text) => make("bdi", {}, String(text));

let used = 0;
/** A field with its label, for forms that are made here. */
export function labelled(label, control) {
  control.id ||= `made-${used += 1}`;
  return make("div", { class: "field" }, make("label", { for: control.id }, label), control);
}

/** A button that is busy while ACT runs, and is not pressed twice. */
export function button(label, act, properties = {}) {
  const element = make("button", { type: "button", ...properties }, label);
  element.addEventListener("click", () => busy(element, act));
  return element;
}

/** Mark ELEMENT busy while ACT runs; a second call meanwhile does nothing. */
export async function busy(element, act) {
  if (element.getAttribute("aria-busy")) return;
  element.setAttribute("aria-busy", "true");
  try {
    await act();
  } finally {
    element.removeAttribute("aria-busy");
  }
}

/** Put what failed into BOX, an alert, with a way to try AGAIN; without an error empty it. */
export function alarm(box, error = null, again = null) {
  box.replaceChildren();
  if (!error) return;
  const tries = again ? [make("p", {}, button("Try again", again))] : [];
  box.append(make("div", { class: "problem" }, make("p", {}, error.message), ...tries));
}

/** Run ACT; what fails stands in BOX, and can be tried again. Return whether it was done. */
export async function attempt(box, act) {
  alarm(box);
  try {
    await act();
    return true;
  } catch (error) {
    if (error.name === "AbortError") return false;
    alarm(box, error, () => attempt(box, act));
    return false;
  }
}

/** Move to a place and say so to who does not see it. */
export function goTo(element) {
  if (!element.hasAttribute("tabindex") && !element.matches("input, select, textarea, button, a")) element.tabIndex = -1;
  element.focus();
  element.scrollIntoView({ block: "nearest" });
}
