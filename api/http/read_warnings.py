"""What a read assumed of its question, in the header `Warnings` of its answer."""

from collections.abc import Mapping, Sequence

from flask import Response, after_this_request

from api.http.responses import ascii_json


def show_warnings(warnings: Sequence[Mapping[str, str]]) -> None:
    """Show WARNINGS with the answer to this request, whatever it is."""
    if not warnings:
        return

    @after_this_request
    def show(response: Response) -> Response:
        response.headers["Warnings"] = ascii_json(warnings)
        return response
