// Rows that can be added and removed: communities, articles, claims. Each has ids of its own.
import { goTo } from "./elements.js";

let made = 0;

/** Add a row of a KIND ("community", "source", "claim") to the end of LIST, and return it. */
export function addRow(kind, list) {
  const row = document.getElementById(`${kind}-row`).content.firstElementChild.cloneNode(true);
  made += 1;
  for (const element of [row, ...row.querySelectorAll("[id], [for], [aria-describedby]")]) {
    for (const name of ["id", "for", "aria-describedby"]) {
      const value = element.getAttribute(name);
      if (value) element.setAttribute(name, value.replaceAll("-N", `-${made}`));
    }
  }
  list.append(row);
  return row;
}

/** Return the list that BUTTON, in a row or below it, adds to. */
export const listOf = (button) => button.closest("[data-row], fieldset").querySelector("[data-rows]");

/** Remove a row; the focus goes to what adds another. */
export function removeRow(row) {
  const owner = row.parentElement.closest("fieldset");
  row.remove();
  goTo(owner.querySelector(":scope > .buttons [data-add]"));
}
