"""The description of the HTTP API as OpenAPI 3.1, made from the table that serves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_alert.web.api.routes import ERROR, ROUTES, Access, Route, Schema

_JSON = "application/json"
_REFUSALS = {
    400: "What was sent is wrong, or the command was refused",
    401: "The token is missing, or another one",
    503: "It cannot be done now: try again later",
}


def describe(version: str) -> Mapping[str, Any]:
    """Return the document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "slack-alert", "version": version},
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "[web] token"},
                "read_token": {"type": "http", "scheme": "bearer", "description": "[web] read_token"},
            },
        },
    }


def _operation(route: Route) -> Mapping[str, Any]:
    schemes = ("token", "read_token") if route.access is Access.READ else ("token",)
    errors = {**_REFUSALS, **{status: meaning for status, meaning in route.others.items() if status >= _ERRORS}}
    successes = {200: "Done", **{status: meaning for status, meaning in route.others.items() if status < _ERRORS}}
    made: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "security": [{scheme: []} for scheme in schemes],
        "responses": {
            **{str(status): _answer(meaning, route.answer) for status, meaning in successes.items()},
            **{
                str(status): _answer(meaning, {"$ref": "#/components/schemas/Error"})
                for status, meaning in sorted(errors.items())
            },
        },
    }
    if route.parameters:
        made["parameters"] = [
            {
                "name": each.name,
                "in": "path" if f"{{{each.name}}}" in route.path else "query",
                "required": f"{{{each.name}}}" in route.path,
                "description": each.meaning,
                "schema": each.schema,
            }
            for each in route.parameters
        ]
    if route.body is not None:
        made["requestBody"] = {"required": "required" in route.body, "content": {_JSON: {"schema": route.body}}}
    return made


def _answer(meaning: str, schema: Schema) -> Mapping[str, Any]:
    return {"description": meaning, "content": {_JSON: {"schema": schema}}}


#: The first status that is an error.
_ERRORS = 400
