"""The table of the HTTP API, what it serves and how it describes itself."""

from __future__ import annotations

import json

import pytest

from slack_alert.web.api.api import Api, Tokens
from slack_alert.web.api.openapi import describe
from slack_alert.web.api.routes import ROUTES, Access

DESCRIBED = describe("1.0.0")


def test_what_is_served_is_described_and_nothing_else() -> None:
    served = Api(Tokens("a", "b"), "1.0.0").routes()
    described = {(method.upper(), path) for path, each in DESCRIBED["paths"].items() for method in each}

    assert set(served) == described
    assert len(served) == len(ROUTES)


def test_without_a_token_for_changes_they_are_not_there() -> None:
    assert {method for method, _ in Api(Tokens(None, "b"), "1.0.0").routes()} == {"GET"}


def test_the_description_is_plain_json_with_unique_names() -> None:
    assert json.loads(json.dumps(DESCRIBED)) == DESCRIBED
    names = [each["operationId"] for path in DESCRIBED["paths"].values() for each in path.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_each_operation_says_who_may_and_what_is_answered(route: object) -> None:
    from slack_alert.web.api.routes import Route

    assert isinstance(route, Route)
    operation = DESCRIBED["paths"][route.path][route.method.lower()]
    schemes = [*(name for each in operation["security"] for name in each)]

    assert schemes == (["token", "read_token"] if route.access is Access.READ else ["token"])
    assert {"200", "400", "401", "503"} <= set(operation["responses"])
    in_path = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
    assert in_path == {part[1:-1] for part in route.path.split("/") if part.startswith("{")}
    assert route.method == ("GET" if route.access is Access.READ else "POST")


@pytest.mark.parametrize(
    ("access", "header", "is_allowed"),
    [
        (Access.CHANGE, "Bearer change", True),
        (Access.CHANGE, "bearer  change ", True),
        (Access.CHANGE, "Bearer read", False),
        (Access.CHANGE, "change", False),
        (Access.CHANGE, "Basic change", False),
        (Access.CHANGE, "Bearer ", False),
        (Access.READ, "Bearer change", True),
        (Access.READ, "Bearer read", True),
        (Access.READ, "Bearer \udcffread", False),
        (Access.READ, "", False),
    ],
)
def test_who_has_shown_a_token_may(access: Access, header: str, is_allowed: bool) -> None:
    assert Tokens("change", "read").allow(access, {"authorization": header}) is is_allowed


def test_no_token_is_never_shown() -> None:
    assert not Tokens(None, None).allow(Access.READ, {"authorization": "Bearer "})
    assert not Tokens(None, "read").allow(Access.CHANGE, {"authorization": "Bearer None"})
