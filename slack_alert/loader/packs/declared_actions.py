"""Actions without Python: the tables [action.NAME] of a pack's manifest, as if they were marked functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from slack_alert.core.bindings import Binding
from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.commands.command import Guard
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.errors import BadValue
from slack_alert.core.model.run import Isolation
from slack_alert.core.pack import Pack, ValueType, parse_type, read_default
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.schedule.triggers import TIME_KEYWORDS
from slack_alert.core.structs import Struct, field, replace
from slack_alert.core.units.names import suggestion
from slack_alert.engine.context.http_call import METHODS, HttpCall
from slack_alert.engine.context.program_call import ProgramCall
from slack_alert.loader.files.discovery import PACKS, PluginFile, PluginTree
from slack_alert.loader.options.binder import Binder
from slack_alert.loader.packs.manifest import MANIFEST
from slack_alert.loader.packs.toml_text import line_of
from slack_alert.loader.parsing.declaration import Declaration, plain_fields
from slack_alert.loader.parsing.literals import KEYWORDS, TRIGGER_KEYWORDS, keyword_suggestion

#: What a table may have besides the keywords of markers.
_OWN = ("run", "http", "parameters", "env", "cwd", "description")
_PARAMETER_KEYS = ("type", "default", "required", "immutable", "choices", "description")
_HTTP_KEYS = ("method", "url", "json", "headers")
#: What events and people fill in.
_ASKED = frozenset({"on", "command"})
_KINDS = {
    "str": ValueKind.TEXT, "url": ValueKind.TEXT, "secret": ValueKind.TEXT, "int": ValueKind.WHOLE,
    "float": ValueKind.NUMBER, "bool": ValueKind.FLAG, "datetime": ValueKind.DATETIME, "duration": ValueKind.DURATION,
    "path": ValueKind.PATH,
}  # fmt: skip


def declared_bindings(packs: Mapping[str, Pack], binder: Binder) -> list[Binding]:
    """Return the bindings of the actions that manifests declare; what is wrong with them is added to the problems."""
    found: list[Binding] = []
    for pack in packs.values():
        for name, table in pack.manifest.actions.items():
            found += _Reading(pack, name, table, binder.problems).bindings(binder)
    return found


def manifest_of(pack: str) -> str:
    """Return the path of a pack's manifest as shown to people, which is the file of its declared actions."""
    return f"{PACKS}/{pack}/{MANIFEST}"


class _ActionParameter(Struct, frozen=True):
    """A parameter of an action."""

    parameter: Parameter
    type: ValueType
    #: The value that nobody changes, or that is taken where none is given; None: there is none.
    default: Any = None  # Any: of the type
    is_immutable: bool = False


class _Reading(Struct):
    """Reads the table of an action."""

    pack: Pack
    name: str
    table: Mapping[str, Any]  # Any: values of TOML
    problems: list[Problem]
    faults: list[tuple[str, str, str]] = field(default_factory=list)

    def bindings(self, binder: Binder) -> list[Binding]:
        """Return the bindings of the action; none where something is wrong."""
        declaration, function = self._read()
        before = len(binder.problems)
        plan = None if self.faults else binder.plan(self._file(), declaration)
        shown = f"{self.pack.shown}/{MANIFEST}"
        binder.problems[before:] = [replace(each, file=shown) for each in binder.problems[before:]]
        binder.problems += [
            Problem(shown, self._line(key), 1, Severity.ERROR, "SA408", f"action.{self.name}: {said}", hint)
            for key, said, hint in self.faults
        ]
        return [_placed(each, shown) for each in plan.bindings(function)] if plan else []

    def _read(self) -> tuple[Declaration, ProgramCall | HttpCall | None]:
        parameters = self._parameters()
        function = self._function(parameters)
        keywords = {key: _literal(value) for key, value in self.table.items() if key not in _OWN}
        for key in keywords.keys() - set(KEYWORDS):
            self._fault(key, f"there is no keyword {key}", suggestion(key, _OWN) or keyword_suggestion(key))
        if keywords.keys().isdisjoint(TRIGGER_KEYWORDS):
            # Somebody may still run it by hand, or another action.
            keywords["command"] = f"{self.pack.name}.{self.name}"
        open_ = [one.parameter for one in parameters if not one.is_immutable]
        is_asked = not _ASKED.isdisjoint(keywords)
        declaration = Declaration(
            function=self.name,
            attribute=self.name,
            line=self._line(""),
            column=1,
            keywords=keywords,
            is_timed=not keywords.keys().isdisjoint(TIME_KEYWORDS),
            doc=str(self.table.get("description", "")) or None,
            required=tuple(one.name for one in open_ if one.is_required),
            parameters=tuple(one.name for one in open_) if is_asked else (),
            takes_context=True,
            is_async=False,
            is_sound=True,
            signature=tuple(map(plain_fields, open_)) if "command" in keywords else (),
        )
        return declaration, function

    def _function(self, parameters: Sequence[_ActionParameter]) -> ProgramCall | HttpCall | None:
        defaults = {one.parameter.name: one.default for one in parameters if one.default is not None}
        types = {one.parameter.name: one.type for one in parameters}
        if ("run" in self.table) is ("http" in self.table):
            self._fault("", "it needs one of run and http", 'Write run = ["./append.sh", "{path}"].')
            return None
        if "run" in self.table:
            return self._program(defaults, types)
        return self._request(defaults, types)

    def _program(self, defaults: Mapping[str, Any], types: Mapping[str, ValueType]) -> ProgramCall | None:
        words = self.table["run"]
        if not (isinstance(words, list) and words and all(isinstance(word, str) for word in words) and words[0]):
            self._fault("run", f"run must be a list of words, got {words!r}", 'Write run = ["./append.sh", "{path}"].')
            return None
        if PLACEHOLDER.search(words[0]):
            self._fault("run", "the program itself cannot be a parameter", "Name the program: it is what may run.")
            return None
        folder = Path(self.pack.folder)
        program = words[0]
        if "/" in program and not Path(program).is_absolute():
            program = str(folder / program)
            if not Path(program).resolve().is_relative_to(folder.resolve()):
                self._fault("run", f"{words[0]} is outside of the pack", "Write a path within it, or a full path.")
        env = self._texts("env", self.table.get("env", {}))
        place = folder / str(self.table.get("cwd", "."))
        return ProgramCall((program, *words[1:]), PLACEHOLDER, defaults, "", place, env, types)

    def _request(self, defaults: Mapping[str, Any], types: Mapping[str, ValueType]) -> HttpCall | None:
        http = self.table["http"]
        if not isinstance(http, dict) or not isinstance(http.get("url"), str):
            self._fault("http", "http needs a url", 'Write http = {method = "POST", url = "https://..."}.')
            return None
        for key in http.keys() - set(_HTTP_KEYS):
            self._fault("http", f"http has no {key}", suggestion(key, _HTTP_KEYS))
        method = str(http.get("method", "POST" if "json" in http else "GET")).upper()
        if method not in METHODS:
            self._fault("http", f"there is no method {method}", suggestion(method, METHODS))
        if not _PLACED.match(http["url"]):
            self._fault("http", "the host of the url cannot be a parameter", "Write https://host/... in full.")
        headers = self._texts("http", http.get("headers", {}))
        return HttpCall(method, http["url"], http.get("json"), headers, PLACEHOLDER, defaults, types)

    def _texts(self, key: str, table: object) -> dict[str, str]:
        if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
            self._fault(key, f"{key} must be a table of texts, got {table!r}", 'Write {NAME = "{value}"}.')
            return {}
        return dict(table)

    def _parameters(self) -> list[_ActionParameter]:
        written = self.table.get("parameters", {})
        if not isinstance(written, dict):
            self._fault("parameters", "parameters must be tables", f"Write [action.{self.name}.parameters.NAME].")
            return []
        used = dict.fromkeys(_placeholders({key: self.table.get(key) for key in ("run", "http", "env")}))
        declared = {name: table for name, table in written.items() if isinstance(table, dict)}
        # In the order in which they are used, which is that of the words that people write.
        return [self._parameter(name, declared.get(name)) for name in {**used, **declared}]

    def _parameter(self, name: str, table: Mapping[str, Any] | None) -> _ActionParameter:
        if table is None:
            return _ActionParameter(Parameter(name), ValueType())
        for key in table.keys() - set(_PARAMETER_KEYS):
            self._fault(f"parameters.{name}", f"{key} is not a key of a parameter", suggestion(key, _PARAMETER_KEYS))
        try:
            kind = parse_type(table.get("type", "str"), table.get("choices"))
            default = read_default(kind, table["default"], timezone.utc) if "default" in table else None
        except BadValue as error:
            self._fault(f"parameters.{name}", f"{name}: {error}", error.hint)
            return _ActionParameter(Parameter(name), ValueType())
        is_immutable = table.get("immutable") is True
        if is_immutable and default is None:
            self._fault(f"parameters.{name}", f"{name} is immutable and has no default", "Give it one.")
        parameter = Parameter(
            name,
            ValueKind.CHOICE if kind.choices else _KINDS[kind.name],
            kind.choices,
            is_list=kind.is_list,
            is_required=table.get("required", "default" not in table) is True,
            default=repr(table["default"]) if "default" in table else "",
            is_secret=kind.is_secret,
        )
        return _ActionParameter(parameter, kind, default, is_immutable)

    def _fault(self, key: str, said: str, hint: str) -> None:
        self.faults.append((key, said, hint))

    def _line(self, key: str) -> int:
        try:
            text = (Path(self.pack.folder) / MANIFEST).read_text(encoding="utf-8-sig")
        except OSError:
            return 1
        return line_of(text, f"action.{self.name}", key)

    def _file(self) -> PluginFile:
        tree = PluginTree(self.pack.folder, f"{PACKS}.{self.pack.name}", self.pack.shown, self.pack.name)
        return PluginFile(f"{self.pack.folder}/{MANIFEST}", (MANIFEST,), tree)


def _placed(binding: Binding, shown: str) -> Binding:
    """Return a binding that stands in the manifest; its program, or its request, needs no process of its own."""
    binding = replace(binding, action=replace(binding.action, file=shown))
    if isinstance(binding, Guard):
        return binding
    return replace(binding, run_options=replace(binding.run_options, isolation=Isolation.NONE))


def _literal(value: object) -> object:
    """Return a value of TOML as a marker has it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list):
        return [_literal(one) for one in value]
    if isinstance(value, dict):
        return {key: _literal(one) for key, one in value.items()}
    return value


def _placeholders(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from (found[1] for found in PLACEHOLDER.finditer(value))
    elif isinstance(value, list):
        for one in value:
            yield from _placeholders(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _placeholders(one)


PLACEHOLDER = lazy_pattern(r"\{([^\W\d]\w*)\}")
#: An address whose host is written out.
_PLACED = lazy_pattern(r"https?://[^{}/?#]+(?:[/?#]|$)", re.IGNORECASE)
