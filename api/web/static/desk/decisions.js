// Decisions on a record, each with its reason: the request, its version, what it answers.
import { attempt, button, labelled, make } from "./elements.js";
import { ask } from "./requests.js";

/** A field for the reason of a decision. */
export const reasonField = () => make("input", { dir: "auto", autocomplete: "off", maxlength: "1000" });

/**
 * A form of one decision: a reason and BUTTONS, `[label, act]` each. What fails stands in it, and
 * the focus stays.
 */
export function decision(label, buttons, ...more) {
  const reason = reasonField();
  const box = make("div", { class: "alarm", role: "alert" });
  return make("div", { class: "decision" }, ...more, labelled(label, reason), box,
    make("p", { class: "buttons" }, ...buttons.map(([name, act]) => button(name, () => attempt(box, () => act(reason.value.trim()))))));
}

const why = (reason) => (reason ? { reason } : {});

export const publish = ({ id, version }, reason) => ask("POST", `/incidents/${id}/publish`, { version, body: why(reason) });
export const reject = ({ id, version }, reason) => ask("POST", `/incidents/${id}/reject`, { version, body: { reason } });
export const withdraw = ({ id, version }, code, reason) => ask("DELETE", `/incidents/${id}`, { version, body: { code, ...why(reason) } });
export const restore = ({ id, version }, number, reason) => ask("POST", `/incidents/${id}/versions/${number}/restore`, { version, body: why(reason) });
export const merge = ({ id, version }, into, headline, reason) =>
  ask("POST", `/incidents/${id}/merge`, { version, body: { into, ...(headline.length && { headline }), ...why(reason) } });
export const callDistinct = (one, other) => ask("POST", `/incidents/${one.id}/distinct`, { body: { other: other.id } });
export const revert = (id, reason) => ask("POST", `/imports/${id}/revert`, { body: why(reason) });
