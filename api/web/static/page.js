// On every page: addresses that people copy carry this page's own host, and can be copied.
"use strict";
(() => {
  const live = document.getElementById("live");
  const announce = (text) => {
    live.textContent = "";
    setTimeout(() => { live.textContent = text; }, 50);
  };
  // Behind a proxy the service may not know the address that people see; the browser does.
  const here = location.origin + document.documentElement.dataset.base.replace(/\/$/, "");
  const localise = (within) => {
    for (const element of within.querySelectorAll("[data-origin]")) {
      element.textContent = element.textContent.replaceAll(element.dataset.origin, here);
    }
  };
  const copy = async (text, what) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without leave, or on plain http: the old way.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    announce(`${what} copied.`);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy, button.copy-link");
    if (!button) return;
    const label = (button.dataset.label ??= button.textContent);
    const text = button.matches(".copy-link")
      ? location.href
      : button.closest(".copyable").querySelector("code, .citation").textContent;
    copy(text, label.replace(/^Copy the /, "The ").replace(/^Copy /, "")).then(() => {
      button.textContent = "Copied";
      button.focus();
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  });
  // Let the page answer in between.
  const pause = () => new Promise((resume) => { setTimeout(resume); });
  // What is drawn by itself comes after the text has been shown.
  const painted = new Promise((resume) => { requestAnimationFrame(() => setTimeout(resume)); });
  // A script or a sheet that not every reader needs comes when it is asked for.
  const loaded = (address) => new Promise((resume, fail) => {
    const sheet = address.endsWith(".css");
    const element = document.createElement(sheet ? "link" : "script");
    Object.assign(element, sheet ? { rel: "stylesheet", href: address } : { src: address, async: false });
    element.onload = resume;
    element.onerror = () => fail(new Error(`${address} does not come`));
    document.head.prepend(element);
  });
  window.page = { announce, loaded, localise, painted, pause };
  localise(document);
})();
