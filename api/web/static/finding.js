// Finding: the form. What is typed is looked for by its beginning, options say how many records they
// lead to, and cities are suggested.
"use strict";
(() => {
  const { html, number } = window.charts;
  const { lane } = window.requests;
  const form = document.getElementById("filters");
  const PAUSE = 350, SUGGESTED = 8;
  // Choices that the overview counts: the field, and the member of its answer.
  const COUNTED = { country: "countries", type: "types" };
  // The names of what occurs, before numbers are put to them.
  const labels = Object.fromEntries(Object.keys(COUNTED).map((name) => [name, new Map(
    [...form.elements[name].options].filter((one) => one.value && !one.value.includes(",")).map((one) => [one.value, one.textContent]))]));
  let to = null, waiting = 0, unfinished = false;

  // While someone types, the last word is a beginning; once sent, it stands as it is.
  const begun = (text) => (unfinished && /(^|\s)[\p{L}\p{N}]{2,}$/u.test(text) && !text.includes('"') && !/\bOR$/.test(text) ? `${text}*` : text);
  const asked = () => {
    const found = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value.trim()) found.append(name, name === "q" ? begun(value.trim()) : value.trim());
    }
    return found;
  };
  const send = (options = {}) => {
    clearTimeout(waiting);
    to.show(to.address(asked()), { typed: unfinished ? form.elements.q.value : null, ...options });
  };

  // Take over what the server made of the form, but leave alone the field someone is in, unless all
  // of it is to be as it was. What was TYPED then stands as it was, too.
  const adopt = (fresh, typed, all) => {
    for (const old of form.querySelectorAll("input[type=hidden]")) old.remove();
    for (const kept of fresh.querySelectorAll("input[type=hidden]")) form.append(document.adoptNode(kept));
    for (const error of form.querySelectorAll(".error")) error.remove();
    for (const field of fresh.querySelectorAll("input[id], select[id]")) take(field, document.getElementById(field.id), all);
    const { q } = form.elements;
    if (q && (all || q !== document.activeElement)) {
      unfinished = typed !== null && typed !== undefined;
      if (unfinished) q.value = typed;
    }
    if (form.querySelector("#more [aria-invalid]")) document.getElementById("more").open = true;
  };
  const take = (field, mine, all) => {
    for (const name of ["aria-invalid", "aria-describedby"]) {
      if (field.hasAttribute(name)) mine.setAttribute(name, field.getAttribute(name));
      else mine.removeAttribute(name);
    }
    const error = field.parentElement.querySelector(".error");
    if (error) mine.after(document.adoptNode(error));
    if (!all && mine === document.activeElement && mine.tagName === "INPUT") return;
    if (field.tagName === "SELECT") mine.replaceChildren(...[...field.options].map((one) => document.adoptNode(one.cloneNode(true))));
    mine.value = field.value;
  };

  // Put numbers to the choices, and leave out what would find nothing. A choice that is set is counted
  // as if it were not.
  const asking = Object.fromEntries(Object.keys(COUNTED).map((name) => [name, lane()]));
  const count = (overview, query) => {
    for (const [name, member] of Object.entries(COUNTED)) {
      asking[name].stop();
      if (!query.has(name)) { numbered(name, overview[member]); continue; }
      const others = new URLSearchParams(query);
      others.delete(name);
      others.set("group_by", name);
      asking[name](to.address(others, `${to.base}api/v1/stats`)).then((answer) => { if (answer) numbered(name, answer.body.data); }, () => {}); // no number, then
    }
  };
  const numbered = (name, rows) => {
    const counts = new Map(rows.map((row) => [row[name], row.incidents]));
    for (const option of [...form.elements[name].options]) {
      if (!labels[name].has(option.value)) continue;
      if (counts.has(option.value)) option.textContent = `${labels[name].get(option.value)} (${number(counts.get(option.value))})`;
      else if (!option.selected) option.remove();
    }
  };

  // Cities whose name begins so, in the country that is chosen.
  const askPlaces = lane();
  let suggesting = 0;
  const suggest = (field) => {
    clearTimeout(suggesting);
    const text = field.value.trim(), list = document.getElementById("cities");
    if (text.length < 2 || [...list.options].some((one) => one.value === text)) return;
    suggesting = setTimeout(async () => {
      const parameters = new URLSearchParams({ q: text, limit: SUGGESTED });
      const country = form.elements.country.value;
      if (country && !country.includes(",")) parameters.set("country", country);
      const note = document.getElementById("city-note");
      try {
        const answer = await askPlaces(`${to.base}api/v1/places?${parameters}`);
        if (!answer) return;
        note.textContent = "";
        list.replaceChildren(...answer.body.data.map((one) =>
          html("option", { value: one.name, label: [one.name, one.admin1, one.country_name].filter(Boolean).join(", ") })));
      } catch (error) {
        list.replaceChildren();
        note.textContent = `No suggestions: ${error.message}.`;
      }
    }, PAUSE);
  };

  const init = (explorer) => {
    to = explorer;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      unfinished = false;
      send({ focus: "results-heading" });
    });
    form.addEventListener("change", (event) => { if (event.target.name !== "q") send(); });
    form.addEventListener("input", (event) => {
      if (event.target.name === "city") suggest(event.target);
      if (event.target.name !== "q") return; // any other field is read once it is whole
      unfinished = true;
      clearTimeout(waiting);
      waiting = setTimeout(() => send(), PAUSE);
    });
    const { typed } = history.state ?? {};
    if (form.elements.q && typed) { form.elements.q.value = typed; unfinished = true; }
  };
  window.finding = { adopt, count, init, labels };
})();
