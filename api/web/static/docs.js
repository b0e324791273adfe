// Shows the service's own description; nothing is asked of any other host.
window.ui = SwaggerUIBundle({
  url: `${document.documentElement.dataset.base}openapi.json`,
  dom_id: "#docs",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  validatorUrl: null,
});
