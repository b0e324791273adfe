// Requests to the public API: the key in a header, no cookie; failures as words and problems.
const BASE = document.documentElement.dataset.base.replace(/\/$/, "");
const PATIENCE = 60_000; // milliseconds until a request counts as failed
let key = "";

export const useKey = (text) => { key = text; };
export const hasKey = () => key !== "";

/** What went wrong: `message` in words, and the `problem` that the service answered, if it did. */
export class Failure extends Error {
  constructor(message, problem = null) {
    super(message);
    this.problem = problem;
    this.status = problem?.status ?? 0;
  }
}

/** Ask the API; return the answer's content with its version and warnings. Throws Failure. */
export async function ask(method, path, { body, type = "application/json", version, retry, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body !== undefined) headers["Content-Type"] = type;
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  if (retry) headers["Idempotency-Key"] = retry;
  const limit = AbortSignal.timeout(PATIENCE);
  const options = {
    method, headers, credentials: "omit", cache: "no-store",
    body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  };
  let response, text;
  try {
    response = await fetch(`${BASE}/api/v1${path}`, options);
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure(unreachable(method));
  }
  return read(response, text);
}

/** Return the part of NEXT, an address that the API gave, that `ask` takes. */
export const pathOf = (next) => next.slice(next.indexOf("/api/v1") + "/api/v1".length);

function unreachable(method) {
  const why = navigator.onLine ? "The service does not answer." : "This device is offline.";
  return method === "GET" ? `${why} Try again.` : `${why} Whether it was done is not known; sending the same again is safe.`;
}

function read(response, text) {
  let content = null;
  try {
    content = text === "" ? null : JSON.parse(text);
  } catch {
    throw new Failure("The answer cannot be read. Try again.");
  }
  if (!response.ok) {
    const problem = content ?? { status: response.status, title: `Status ${response.status}` };
    const after = response.headers.get("Retry-After");
    throw new Failure((problem.detail || problem.title) + (after ? ` Try again in ${after} seconds.` : ""), problem);
  }
  return { content, warnings: JSON.parse(response.headers.get("Warnings") ?? "[]") };
}
