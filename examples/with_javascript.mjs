// Page through the incidents with fetch, and keep what is unknown apart from zero.
//
//     node with_javascript.mjs http://127.0.0.1:8000
//
// A page of another site may do the same: the service lets browsers read from everywhere.

const service = process.argv[2] ?? "http://127.0.0.1:8000";

/** Yield every record that a query means: each page names the next one, null on the last. */
async function* records(query) {
  for (let next = `/api/v1/incidents?${query}`; next !== null; ) {
    const answer = await fetch(new URL(next, service));
    const page = await answer.json();
    if (!answer.ok) throw new Error(page.detail); // a problem says what would be right
    yield* page.data;
    next = page.next;
  }
}

const query = new URLSearchParams({
  community: "armenian",
  sort: "date",
  limit: "3", // few, to show the paging; up to 1,000
  fields: "id,date,city,arrests_low,arrests_text",
});
const incidents = [];
for await (const incident of records(query)) incidents.push(incident);

for (const { date, city, arrests_text } of incidents) {
  console.log(`${date}\t${city}\t${arrests_text}`);
}

// null + 1 is 1 in JavaScript: leave out what is not reported, and say how many that are.
const known = incidents.filter(({ arrests_low }) => arrests_low !== null);
const arrests = known.reduce((sum, { arrests_low }) => sum + arrests_low, 0);
console.log(
  `At least ${arrests} arrests in the ${known.length} incidents that report any figure; ` +
    `${incidents.length - known.length} of ${incidents.length} report none.`,
);
