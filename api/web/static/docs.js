// Shows the service's own description; nothing is asked of any other host. Requests that are tried
// here write nothing unless that is asked for: a dry run is what the form begins with.
"use strict";
(() => {
  const base = document.documentElement.dataset.base;
  const INVENTED = {
    title: "Example: an invented rally outside a town hall", type: "rally", date: "2001-02-03", city: "Ghent", country: "BE",
    communities: [{ community: "armenian", role: "organiser" }], participants_low: 100, participants_high: 200,
    sources: [{
      article: { url: "https://news.example/2001/02/an-invented-report", title: "An invented report" }, locator: "paragraph 1",
      claims: [{ field: "participants", low: 100, high: 200, text: "between 100 and 200 people", attributed_to: "an invented officer" }],
    }],
  };
  const WRITES = ["post", "put", "patch", "delete"];

  // What is sent to try: an invented event, and first of all a dry run where there is one.
  const madeSafe = (description) => {
    for (const [path, methods] of Object.entries(description.paths)) {
      for (const method of WRITES.filter((name) => name in methods)) {
        const operation = methods[method];
        const parameters = (operation.parameters ??= []);
        const named = parameters.find(({ name }) => name === "dry_run");
        if (named) named.schema = { type: "boolean", default: true };
        else if (/`dry_run/.test(operation.description)) {
          parameters.push({ name: "dry_run", in: "query", description: "Write nothing, and say what would happen.", schema: { type: "boolean", default: true } });
        }
      }
      if (!/\/incidents(\/dry-run)?$/.test(path) || !methods.post) continue;
      const content = methods.post.requestBody.content["application/json"];
      content.examples = { invented: { summary: "An invented event", value: INVENTED }, ...content.examples };
    }
    return description;
  };

  // A write that is no trial asks first; where it is not to be sent, its button was not pressed.
  document.addEventListener("click", (event) => {
    const block = event.target.closest(".execute")?.closest(".opblock");
    if (!block || block.matches(".opblock-get, .opblock-head")) return;
    const trial = block.querySelector('[data-param-name="dry_run"] select')?.value === "true"
      || block.querySelector("[data-path]")?.dataset.path.endsWith("/dry-run");
    if (trial || confirm("This request writes to the records of this service. Send it?")) return;
    event.stopPropagation();
    event.preventDefault();
  }, true);

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  paint();
  dark.addEventListener("change", paint);

  // The description passes here on its way to the page.
  const received = (answer) => {
    if (answer.ok && answer.url.endsWith("/openapi.json")) answer.text = JSON.stringify(madeSafe(JSON.parse(answer.text)));
    return answer;
  };

  window.ui = SwaggerUIBundle({
    url: `${base}openapi.json`,
    dom_id: "#docs",
    deepLinking: true,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    validatorUrl: null,
    responseInterceptor: received,
  });
})();
