"""Below a path of another site: every link, page, asset and form works behind a proxy."""

import json
import re
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from html import unescape
from urllib.parse import urldefrag, urljoin

import pytest
from playwright.sync_api import expect

from api import create_app
from api.config import ConfigError
from tests import browsers, builders, processes, servers, tools

PATH = "/incidents-api"
# What an answer links to, besides what its headers name.
_ATTRIBUTES = re.compile(r'(?:href|src|action|data-[a-z]+)="(/[^"]*|http[^"]*)"')
_NGINX = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location {path}/ {{ proxy_pass http://127.0.0.1:{service}{end}; }}
    location / {{ return 421; }}
  }}
}}
"""


@contextmanager
def nginx(folder, port, service, *, strips):
    """Run nginx on PORT before SERVICE; it takes the path off, or leaves it on."""
    file = folder / "nginx.conf"
    end = "/" if strips else ""
    file.write_text(
        _NGINX.format(folder=folder, port=port, service=service, path=PATH, end=end),
        encoding="utf-8",
    )
    process = processes.start([tools.find("nginx"), "-p", str(folder), "-c", str(file)])
    try:
        for _ in range(600):
            if fetch(f"http://127.0.0.1:{port}{PATH}/healthz")[0] == 200:
                break
            time.sleep(0.05)
        yield
    finally:
        processes.stop(process)


@pytest.fixture(params=[True, False], ids=["stripped", "left on"])
def site(request, seeded, tmp_path):
    """Yield the address below which a proxy has the service."""
    port = servers.free_port()
    public = f"http://127.0.0.1:{port}{PATH}"
    with servers.serving(seeded.config["DATABASE_URL"], PUBLIC_URL=public) as address:
        service = address.rpartition(":")[2]
        with nginx(tmp_path, port, service, strips=request.param):
            yield public


class _Unfollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


_OPENER = urllib.request.build_opener(_Unfollowed)


def fetch(address, accept="text/html,*/*;q=0.1", method="GET", body=None, **headers):
    """Return status, headers and body; a redirect is an answer like others."""
    data = None if body is None else json.dumps(body).encode()
    named = {"Accept": accept, "Content-Type": "application/json", **headers}
    request = urllib.request.Request(address, data, named, method=method)
    try:
        with _OPENER.open(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except OSError:
        return 0, {}, b""


def links_of(address, headers, body):
    """Return the addresses that an answer names, whole."""
    found = set()
    kind = headers.get("Content-Type", "")
    if kind.startswith("text/html"):
        found |= {unescape(link) for link in _ATTRIBUTES.findall(body.decode())}
    elif "json" in kind and len(body) < 1_000_000:
        found |= set(re.findall(r'"(http://127[^"{}]*)"', body.decode()))
    found |= set(re.findall(r"<([^>]*)>", headers.get("Link", "")))
    found |= {headers["Location"]} if "Location" in headers else set()
    whole = (urldefrag(urljoin(address, link))[0] for link in found)
    ours = {link for link in whole if link.startswith("http://127.0.0.1")}
    return {link for link in ours if ":8000" not in link}  # examples in texts


# Pages and assets all; of the many views of one page, those that are met first.
_MOST = 160
OK = (200, 301, 303, 308, 422)
START = ("/", "/api/v1", "/docs", "/guide", "/ogc", "/codebook", "/openapi.json", "/problems/gone")


@pytest.mark.slow
@pytest.mark.needs("nginx")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_link_leads_to_an_answer_below_the_path(site):
    waiting, met, kinds = [f"{site}{path}" for path in START], {}, set()
    while waiting and len(met) < _MOST:
        address = waiting.pop(0)
        if address in met:
            continue
        status, headers, body = fetch(address)
        met[address] = status
        kinds.add(headers.get("Content-Type", "").partition(";")[0])
        waiting += sorted(links_of(address, headers, body) - met.keys())
    escaped = [address for address in met if not f"{address}/".startswith(f"{site}/")]
    assert escaped == []
    # Some of the index take what has to be named, such as `q`.
    assert {address: status for address, status in met.items() if status not in OK} == {}
    assert kinds >= {"text/html", "application/json", "text/css", "text/javascript"}
    assert len(met) > 100


@pytest.mark.slow
@pytest.mark.needs("nginx")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_addresses_of_answers_are_below_the_path(site, editor):
    page = json.loads(fetch(f"{site}/api/v1/incidents?limit=1", "application/json")[2])
    assert page["next"].startswith(f"{site}/api/v1/incidents?")
    record = page["data"][0]
    assert fetch(f"{site}{record['url']}", "application/json")[0] == 200
    body = builders.incident()
    _, headers, made = fetch(f"{site}/api/v1/incidents", "*/*", "POST", body, **editor)
    assert headers["Location"] == f"{site}{json.loads(made)['url']}"
    _, _, problem = fetch(f"{site}/api/v1/nothing", "application/json")
    assert json.loads(problem)["type"] == f"{site}/problems/not-found"
    assert json.loads(problem)["instance"] == f"{PATH}/api/v1/nothing"
    _, _, problem = fetch(f"{site}{record['url']}", "*/*", "PATCH", {"arrests": 1}, **editor)
    assert f"'{site}{record['url']}'" in json.loads(problem)["detail"]
    merge = {"into": record["id"]}
    source = f"{site}{json.loads(made)['url']}"
    assert fetch(f"{source}/merge", "*/*", "POST", merge, **editor, **{"If-Match": "*"})[0] == 200
    for path in ("/api/v1/incidents", "/incidents"):
        status, headers, _ = fetch(f"{site}{path}/{json.loads(made)['id']}")
        assert (status, headers["Location"][: len(site)]) == (308, site)
    status, headers, _ = fetch(f"{site}/?city=&country=RU")  # a form's empty field is left out
    assert (status, headers["Location"]) == (303, f"{site}/?country=RU")


@pytest.mark.slow
@pytest.mark.needs("nginx", "chromium")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_pages_work_in_a_browser(site):
    with browsers.chromium() as browser:
        visit = browsers.Visit(browser, site)
        page = visit.open("/")
        visit.settled()
        page.locator("#map").scroll_into_view_if_needed()
        expect(page.locator("#map .leaflet-pane").first).to_be_attached(timeout=120_000)
        page.fill("#filters [name=q]", "Moscow")
        page.press("#filters [name=q]", "Enter")
        page.wait_for_url(f"{site}/?q=Moscow*")
        visit.settled()
        assert site in page.locator("[data-origin]").first.text_content()
        visit.spotless()
        page = visit.open("/docs")
        page.wait_for_selector(".opblock-summary", timeout=120_000)
        visit.spotless()
        visit.close()


@pytest.mark.parametrize("path", ["/docs", "/guide", "/codebook", "/api/v1", "/ogc"])
def test_a_path_that_the_service_has_itself_is_refused(path):
    with pytest.raises(ConfigError, match="it takes a path other than"):
        create_app(
            {"DATABASE_URL": "sqlite:///:memory:", "PUBLIC_URL": f"https://example.org{path}"}
        )


@pytest.mark.parametrize("path", ["/incidents", "/api", "/a/b"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_other_paths_are_taken_off_or_left_on(make_app, path):
    client = make_app(PUBLIC_URL=f"https://example.org{path}/").test_client()
    for below in ("/", "/api/v1/incidents", "/guide/reference", "/openapi.json", "/healthz"):
        left_on, stripped = client.get(f"{path}{below}"), client.get(below)
        assert (left_on.status_code, left_on.data) == (200, stripped.data)
    assert client.get(path).status_code == 200
    assert client.get(f"{path}/nothing").status_code == 404
