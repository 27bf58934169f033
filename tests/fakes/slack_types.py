"""Slack's own TypeScript types as a judge: requests and answers become constants that `tsc` has to accept.

Needs Node and `npm install --prefix tests/wire`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.fakes.slack_requests import Request
from tests.fakes.slack_rules import Json

WIRE = Path(__file__).parents[1] / "wire"
_MODULES = WIRE / "node_modules"
_COMPILER = _MODULES / "typescript" / "bin" / "tsc"
_TYPES = _MODULES / "@slack" / "web-api" / "dist" / "index.d.ts"
_NUMBERS = {"limit", "length"}
_BOOLEANS = {"include_all_metadata", "inclusive", "exclude_archived", "return_im", "prevent_creation"}
_STRUCTURES = {"files", "blocks", "attachments", "metadata"}
_BLOCKS = "type Blocks = Extract<slack.ChatPostMessageArguments, { blocks: unknown }>['blocks'];"


def why_not() -> str | None:
    """Return why nothing can be checked here; None where it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (_COMPILER.is_file() and _TYPES.is_file()):
        return "the types are not installed; run npm install --prefix tests/wire"
    return None


def typescript(requests: Iterable[Request]) -> str:
    """Write requests and answers as constants of the types @slack/web-api gives them."""
    lines = ["import type * as slack from '@slack/web-api';", _BLOCKS]
    for number, request in enumerate(requests):
        name = _type_name(request.method)
        arguments = _as_written(request.arguments)
        lines.append(f"export const request{number} = {json.dumps(arguments)} satisfies slack.{name}Arguments;")
        answer, blocks = _without_blocks(request.answer)
        lines.append(f"export const answer{number} = {json.dumps(answer)} satisfies slack.{name}Response;")
        lines.append(f"export const shown{number} = {json.dumps(blocks)} satisfies Blocks;")
    return "\n".join(lines) + "\n"


def complaints(sources: Mapping[str, str], folder: Path) -> list[str]:
    """Compile the sources strictly, without output, and return what the compiler complains of, one line each."""
    for name, source in sources.items():
        (folder / name).write_text(source, encoding="utf-8")
    options = {"paths": {"@slack/web-api": [_TYPES.as_posix()]}}
    project = {"extends": (WIRE / "tsconfig.json").as_posix(), "compilerOptions": options, "files": list(sources)}
    (folder / "tsconfig.json").write_text(json.dumps(project), encoding="utf-8")
    command = ["node", str(_COMPILER), "--project", str(folder), "--pretty", "false"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50, cwd=folder)
    return re.findall(r"^\S.*error TS\d+.*$", done.stdout + done.stderr, flags=re.MULTILINE)


def _without_blocks(answer: object) -> tuple[object, list[object]]:
    """Take the blocks out of an answer: there the types have TypeScript enums, which no JSON can be."""
    if isinstance(answer, list):
        pairs = [_without_blocks(each) for each in answer]
        return [rest for rest, _ in pairs], [block for _, blocks in pairs for block in blocks]
    if not isinstance(answer, dict):
        return answer, []
    parts = {name: _without_blocks(value) for name, value in answer.items() if name != "blocks"}
    inner = [block for _, blocks in parts.values() for block in blocks]
    return {name: rest for name, (rest, _) in parts.items()}, [*answer.get("blocks", []), *inner]


def _type_name(method: str) -> str:
    return "".join(part[0].upper() + part[1:] for part in method.split("."))


def _as_written(arguments: Json) -> Json:
    """Undo what forms and query strings do to numbers, booleans and structures."""
    return {name: _value(name, value) for name, value in arguments.items()}


def _value(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    if name in _NUMBERS:
        return int(value)
    if name in _BOOLEANS:
        return value in {"1", "true"}
    return json.loads(value) if name in _STRUCTURES else value
