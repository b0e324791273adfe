"""The curators' desk: a page that works with the public API alone, by a key that it is told.

It holds no rule of writing and no session: what its scripts send, curl could have sent.
"""

from flask import Blueprint, Response

from api.http.query_strings import load
from api.routes import pages
from api.web import assets, desk_form
from schemas.countries import country_names
from schemas.merge import HEADLINES
from schemas.query.parameters import NoQuery
from schemas.vocabulary import ROLES, WITHDRAWAL_CODES

blueprint = Blueprint("desk", __name__, url_prefix="/desk")
pages.answer_errors(blueprint)

_FOLDER = assets.WEB / "static" / "desk"
_SCRIPTS = sorted(path.name for path in _FOLDER.glob("*.js"))
ASSETS = assets.Assets(
    "/desk/assets",
    {
        "desk.css": ("static/desk", assets.CSS),
        **dict.fromkeys(_SCRIPTS, ("static/desk", assets.JAVASCRIPT)),
    },
)


@blueprint.get("")
def desk() -> Response:
    """Show the desk; what it works on comes by requests that carry the key."""
    load(NoQuery)
    return pages.answer(
        "desk.html",
        file=ASSETS.address,
        scripts=_SCRIPTS,
        form=desk_form.form(),
        roles={term.id: term.label for term in ROLES.values()},
        codes={term.id: term.label for term in WITHDRAWAL_CODES.values()},
        countries=sorted(set(country_names().values())),
        headlines=HEADLINES,
    )


@blueprint.get("/assets/<release>/<name>")
def asset(release: str, name: str) -> Response:
    """Send a file of the desk; its address names its content, and may be stored."""
    return ASSETS.answer(release, name)
