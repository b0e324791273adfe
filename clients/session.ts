/**
 * A session with the running service through openapi-fetch, typed by openapi-typescript.
 *
 * Every line has to compile under `strict`, without a cast: what is wrong in the description is an
 * error of the compiler here.
 */
import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { components, paths } from "./.generated/schema.js";

const [address, key] = process.argv.slice(2);
assert(address !== undefined && key !== undefined, "usage: session.js ADDRESS KEY");
const anyone = createClient<paths>({ baseUrl: address });
const editor = createClient<paths>({
  baseUrl: address,
  headers: { Authorization: `Bearer ${key}` },
});

async function listAndFilter(): Promise<void> {
  const listed = await anyone.GET("/api/v1/incidents", { params: { query: { limit: 2 } } });
  assert(listed.data !== undefined);
  assert.equal(listed.data.data.length, 2);
  assert(listed.data.next !== null);

  const filtered = await anyone.GET("/api/v1/incidents", {
    params: {
      query: {
        country: ["RU", "BE"],
        community: ["armenian"],
        sort: "-arrests",
        count: "exact",
      },
    },
  });
  assert(filtered.data !== undefined);
  assert.equal(filtered.data.total, filtered.data.data.length);
  const countries = filtered.data.data.map((incident) => incident.country);
  assert.deepEqual([...new Set(countries)].sort(), ["BE", "RU"]);
  const first: components["schemas"]["Incident"] | undefined = filtered.data.data[0];
  assert(first !== undefined && first.arrests !== null && first.arrests > 0);
}

async function search(): Promise<void> {
  const { data } = await anyone.GET("/api/v1/search", {
    params: { query: { q: "Moscow clash", country: ["RU"] } },
  });
  assert(data !== undefined);
  assert.equal(data.data[0]?.incident.city, "Moscow");
}

async function write(): Promise<void> {
  const body: components["schemas"]["IncidentInput"] = {
    title: "Vigil in Batumi",
    type: "vigil",
    date: "2020-10-03",
    city: "Batumi",
    country: "GE",
    communities: ["armenian", { community: "georgian", role: "organiser" }],
    participants_low: 24,
    sources: [{ article: { title: "A report", url: "https://news.example/typescript" } }],
  };
  const tried = await editor.POST("/api/v1/incidents/dry-run", { body });
  assert.equal(tried.data?.would, "create");

  const created = await editor.POST("/api/v1/incidents", {
    params: { header: { "Idempotency-Key": "typescript" } },
    body,
  });
  assert(created.data !== undefined);
  assert.equal(created.response.status, 201);
  const { id, version } = created.data;

  const based = { path: { id }, header: { "If-Match": `"${version}"` } };
  const patched = await editor.PATCH("/api/v1/incidents/{id}", {
    params: based,
    body: { arrests: 3 },
  });
  assert(patched.data !== undefined);
  assert.equal(patched.data.arrests_text, "3");

  const stale = await editor.PATCH("/api/v1/incidents/{id}", {
    params: based,
    body: { arrests: 4 },
  });
  assert.equal(stale.error?.status, 412);
  assert.equal(stale.error.title.length > 0, true);

  // What was read can be changed and put back as it is.
  const replaced = await editor.PUT("/api/v1/incidents/{id}", {
    params: { path: { id }, header: { "If-Match": "*" } },
    body: { ...patched.data, arrests: 5 },
  });
  assert.equal(replaced.data?.arrests, 5);
}

async function errors(): Promise<void> {
  const missing = await anyone.GET("/api/v1/incidents/{id}", {
    params: { path: { id: "0000000000" } },
  });
  assert.equal(missing.error?.status, 404);
  const wrong = await anyone.GET("/api/v1/incidents", {
    params: { query: { date: "24.07.2020" } },
  });
  assert.equal(wrong.error?.errors?.[0]?.parameter, "date");
}

async function exports(): Promise<void> {
  const csv = await anyone.GET("/api/v1/incidents.csv", {
    params: { query: { country: ["RU"], fields: ["id", "arrests"] } },
    parseAs: "text",
  });
  assert(csv.data !== undefined);
  const rows: string[] = csv.data.trim().split("\n");
  assert.equal(String(rows.length - 1), csv.response.headers.get("Record-Count"));

  const map = await anyone.GET("/api/v1/incidents.geojson");
  assert(map.data !== undefined);
  assert.equal(String(map.data.features.length), map.response.headers.get("Record-Count"));
  const [longitude] = map.data.features[0]?.geometry?.coordinates ?? [];
  assert(longitude !== undefined && longitude <= 180);

  const lines = await anyone.GET("/api/v1/incidents.ndjson", { parseAs: "text" });
  assert.equal(lines.data?.trim().split("\n").length, map.data.features.length);
}

await listAndFilter();
await search();
await errors();
await exports();
await write();
