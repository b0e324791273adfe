#!/usr/bin/env bash
# Questions to the service with curl and jq.
#
#     bash curl_and_jq.sh http://127.0.0.1:8000
set -euo pipefail
service=${1:-http://127.0.0.1:8000}
api=$service/api/v1

echo "# What happened in Moscow in 2020? Names are read in any script."
curl -sfG "$api/incidents" --data-urlencode 'city=Москва' -d date=2020 -d sort=date |
    jq -r '.data[] | [.date, .type, .arrests_text] | @tsv'

echo "# Who says how many were arrested? A claim without a scope is about the whole incident."
curl -sf "$api/incidents/3a8a51z8j1/claims" |
    jq -r '.data[] | select(.field == "arrests")
           | [.value // .text, .article.publisher, .scope // "the whole incident"] | @tsv'

echo "# Of which figures is how much known? Null is not reported, 0 is reported as none."
curl -sf "$api/incidents.ndjson" |
    jq -rs '. as $all | ("arrests", "injuries", "deaths") as $name | [
              $name,
              ($all | map(select(.[$name] != null)) | length),
              ($all | map(select(.[$name + "_text"] == "not reported")) | length)
            ] | @tsv'

echo "# All there is, page by page: each answer names the next one, null on the last."
next="$api/incidents?limit=3&fields=id,date"
while [ "$next" != null ]; do
    page=$(curl -sf "$next")
    jq -r '.data[].id' <<<"$page"
    next=$(jq -r '.next' <<<"$page")
    [[ $next == /* ]] && next=$service$next # a path, where the service knows no public address
done

echo "# Has anything changed? The tag of an answer asks, and 304 says no."
tag=$(curl -sf -o /dev/null -w '%header{etag}' "$api/incidents")
curl -s -o /dev/null -w '%{http_code}\n' -H "If-None-Match: $tag" "$api/incidents"
