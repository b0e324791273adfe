// What the service says is wrong, beside the field where it was typed.
import { button, goTo, make } from "./elements.js";
import { number } from "./controls.js";

/** Take away all that was said. */
export function clearFaults(form) {
  for (const said of form.querySelectorAll(".fault")) said.remove();
  for (const control of form.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    describe(control, (ids) => ids.filter((id) => !id.startsWith("fault-")));
  }
}

function describe(control, change) {
  const ids = change((control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
  if (ids.length) control.setAttribute("aria-describedby", ids.join(" "));
  else control.removeAttribute("aria-describedby");
}

/**
 * Show each of ERRORS at its control of CONTROLS, by pointer; return those that have none. Where
 * TYPED is true, fields that nobody has filled in yet are left in peace.
 */
export function showFaults(errors, controls, { typed = false } = {}) {
  const rest = [];
  errors.forEach((error, index) => {
    const control = nearest(error.pointer ?? "", controls);
    if (!control) rest.push(error);
    else if (!(typed && error.code === "required" && !control.value)) show(error, control, index);
  });
  return rest;
}

/** Return the control of the longest pointer that POINTER begins with. */
function nearest(pointer, controls) {
  for (let path = pointer; path; path = path.slice(0, path.lastIndexOf("/"))) {
    if (controls.has(path)) return controls.get(path);
  }
  return null;
}

function show(error, control, index) {
  const id = `fault-${index}`;
  control.closest("details")?.setAttribute("open", "");
  control.setAttribute("aria-invalid", "true");
  describe(control, (ids) => [...ids, id]);
  const said = make("p", { class: "fault error", id }, make("bdi", {}, error.detail), ...proposals(error, control));
  (control.closest(".bounds") ?? control.closest(".field") ?? control.parentElement).append(said);
}

/** Return buttons that put what is proposed into the field. */
function proposals({ suggestion, candidates }, control) {
  const offered = suggestion === undefined || suggestion === null ? [] : [suggestion];
  const buttons = offered.map((one) => button(`Use ${text(one)}`, () => use(control, one)));
  return [...buttons, ...(candidates ?? []).map((one) => make("span", { class: "candidate" }, typeof one === "string" ? one : text(one)))]
    .flatMap((one) => [" ", one]);
}

function text(one) {
  return typeof one === "object" ? Object.entries(one).filter(([, value]) => value !== null).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", ") : String(one);
}

/** Take a proposal: a value for CONTROL, or members ("arrests_low: 51") of the count that it is of. */
function use(control, suggestion) {
  const members = typeof suggestion === "object" ? Object.entries(suggestion) : membersOf(suggestion);
  const count = control.closest("[data-count]");
  const claim = control.closest("[data-row=claims]");
  if (!members.length) control.value = suggestion;
  else control.value = "";
  for (const [name, value] of members) {
    const end = count ? `[data-end="${name.slice(count.dataset.count.length)}"]` : `[data-name="${name.match(/_(low|high)$/)?.[1] ?? "value"}"]`;
    const target = (count ?? claim ?? control.form).querySelector(end) ?? control;
    target.value = value;
  }
  control.dispatchEvent(new Event("input", { bubbles: true }));
  goTo(control);
}

const membersOf = (suggestion) =>
  [...String(suggestion).matchAll(/([a-z_]+): (\d+)/g)].map(([, name, value]) => [name, number(value)]);
