// Requests: one way for all that can go wrong with them, and one place where it is said.
"use strict";
(() => {
  // Milliseconds after which an answer that has not come is given up.
  const PATIENCE = 20000;
  const REFUSALS = { 429: "it has had too many requests", 503: "it is busy" };
  class Failure extends Error {}

  const reason = () => (navigator.onLine ? "the service does not answer" : "there is no connection");
  const refusal = (answer) => {
    const seconds = answer.headers.get("Retry-After");
    return `${REFUSALS[answer.status] ?? "the service could not answer"}${/^\d+$/.test(seconds) ? `; it asks to wait ${seconds} seconds` : ""}`;
  };
  const inTime = (work, seconds = PATIENCE) => new Promise((resume, fail) => {
    const late = setTimeout(() => fail(new Failure(reason())), seconds);
    work.then(resume, () => fail(new Failure(reason()))).finally(() => clearTimeout(late));
  });

  // Return a function that asks for one thing at a time: a later request ends the one before, which
  // then answers null. Where an answer cannot be had it raises a Failure that says why.
  const lane = () => {
    let latest = null;
    const ask = async (address, { accept = "application/json", good = (answer) => answer.ok } = {}) => {
      latest?.abort();
      const mine = latest = new AbortController();
      const late = setTimeout(() => mine.abort(), PATIENCE);
      try {
        const answer = await fetch(address, { headers: { Accept: accept }, signal: mine.signal });
        if (!good(answer)) throw new Failure(refusal(answer));
        const body = await (accept === "text/html" ? answer.text() : answer.json());
        return mine === latest ? { body, url: answer.url } : null;
      } catch (error) {
        if (mine !== latest) return null;
        throw error instanceof Failure ? error : new Failure(reason());
      } finally {
        clearTimeout(late);
      }
    };
    ask.stop = () => { latest?.abort(); latest = null; };
    return ask;
  };

  // Say what could not be had, with a button that tries again; one alert for each ABOUT.
  const box = document.getElementById("trouble");
  const settle = (about) => box.querySelector(`[data-about="${about}"]`)?.remove();
  const tell = (about, words, again) => {
    settle(about);
    const alert = document.createElement("p");
    alert.className = "trouble";
    alert.dataset.about = about;
    alert.setAttribute("role", "alert");
    alert.append(`${words} `);
    if (again) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Try again";
      button.addEventListener("click", () => { settle(about); again(); });
      alert.append(button);
    }
    box.append(alert);
  };
  addEventListener("offline", () => tell("offline", "There is no connection. What is shown stays; nothing else can be had until it is back."));
  addEventListener("online", () => {
    settle("offline");
    for (const button of box.querySelectorAll("button")) button.click();
  });
  window.requests = { Failure, inTime, lane, settle, tell };
})();
