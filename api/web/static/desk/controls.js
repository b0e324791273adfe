// Controls: what each kind holds as a value of the API, and how a value is put into it.

/** Return what CONTROL holds; what is no number is sent as it was typed, and refused in words. */
export function read(control) {
  const text = control.value?.trim();
  switch (control.dataset.kind) {
    case "number": return number(text);
    case "yes_no": return text === "" ? null : text === "true";
    case "list": return text.split(";").map((item) => item.trim()).filter(Boolean);
    case "choices": return [...control.querySelectorAll("input:checked")].map((box) => box.value);
    default: return text || null;
  }
}

/** Return the number that TEXT is, the text where it is none, null where it is empty. */
export function number(text) {
  if (text === "") return null;
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** Put VALUE into CONTROL. */
export function fill(control, value) {
  if (control.dataset.kind === "choices") {
    for (const box of control.querySelectorAll("input")) box.checked = (value ?? []).includes(box.value);
  } else if (control.dataset.kind === "list") {
    control.value = (value ?? []).map((item) => (typeof item === "string" ? item : Object.values(item).join(":"))).join("; ");
  } else {
    control.value = value ?? "";
  }
}

/** Whether a value says nothing. */
export const isEmpty = (value) => value === null || (Array.isArray(value) && value.length === 0);
