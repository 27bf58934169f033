"""Read the parameters of a command from its function's signature, without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.errors import BadValue
from slack_alert.core.structs import Struct, field, replace
from slack_alert.loader.parsing.literals import evaluate
from slack_alert.loader.parsing.scan import Function, ModuleScan, dotted_name
from slack_alert.loader.parsing.signature import CONTEXT

_DEEPEST = 20
_HINT = (
    "Write str, int, float, bool, a Literal, an Enum of this file, list[...], datetime, date, timedelta or Path, "
    "each with `| None` if you like."
)
_SCALARS = {
    "str": ValueKind.TEXT,
    "Any": ValueKind.TEXT,
    "object": ValueKind.TEXT,
    "int": ValueKind.WHOLE,
    "float": ValueKind.NUMBER,
    "bool": ValueKind.FLAG,
    "datetime": ValueKind.DATETIME,
    "date": ValueKind.DATE,
    "timedelta": ValueKind.DURATION,
    "Path": ValueKind.PATH,
    "PurePath": ValueKind.PATH,
}
_LISTS = frozenset({"list", "List", "Sequence", "Iterable", "Collection"})
#: Unknown modules have types of their own under any name.
_MODULES = frozenset({"builtins", "collections.abc", "datetime", "enum", "pathlib", "typing", "typing_extensions"})
_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum"})
#: What `Annotated[str, "..."]` may say.
_REMARKS = ("secret", "dash")


class UnreadableParameter(BadValue):
    """A parameter that words cannot become."""

    def __init__(self, message: str, node: ast.arg, *, hint: str = _HINT) -> None:
        super().__init__(message, hint=hint)
        self.node = node


class SignatureReader(Struct):
    """Reads signatures of one file, whose names decide what annotations mean."""

    tree: ast.Module
    scan: ModuleScan
    constants: Mapping[str, ast.expr]
    #: The original names of what was imported, by the names here; None: of a module that is not known.
    _imported: dict[str, str | None] = field(default_factory=dict)
    #: The members of the file's Enum classes, and its other definitions.
    _enums: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _other: set[str] = field(default_factory=set)
    _aliases: dict[str, ast.expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for statement in (each for block in self.scan.imports for each in block):
            self._note_import(statement)
        self._aliases = dict(self.constants)
        for statement in self.tree.body:
            if isinstance(statement, ast.ClassDef):
                self._note_class(statement)
            elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self._other.add(statement.name)
            elif type(statement).__name__ == "TypeAlias":  # Python 3.10 and 3.11 do not have `type X = int`.
                self._aliases[statement.name.id] = statement.value  # type: ignore[attr-defined]

    def parameters(self, node: Function) -> tuple[Parameter, ...]:
        """Return the parameters that words fill in, without `ctx`; raise UnreadableParameter."""
        arguments = node.args
        if arguments.kwarg is not None:
            hint = "Name the parameters: words are given to parameters that are known."
            said = f"**{arguments.kwarg.arg} takes any name, which a command's line cannot give"
            raise UnreadableParameter(said, arguments.kwarg, hint=hint)
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [*[None] * (len(positional) - len(arguments.defaults)), *arguments.defaults]
        found = [self._parameter(one, default) for one, default in zip(positional, defaults, strict=True)]
        if arguments.vararg is not None:
            variadic = self._parameter(arguments.vararg, None)
            found.append(replace(variadic, is_list=True, is_variadic=True, is_required=False))
        for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            found.append(replace(self._parameter(one, default), is_named=True))
        return tuple(parameter for parameter in found if parameter.name != CONTEXT)

    def _parameter(self, node: ast.arg, default: ast.expr | None) -> Parameter:
        if node.arg == CONTEXT:
            return Parameter(CONTEXT)
        unnamed = Parameter(node.arg, is_required=default is None)
        try:
            if node.annotation is None:
                typed = _typed_by(unnamed, self._value(default))
            else:
                typed = self._typed(unnamed, node.annotation, 0)
        except (BadValue, SyntaxError) as error:
            said = f"words cannot become {node.arg}: {ast.unparse(node.annotation or node)}"
            said += f" ({error})" if isinstance(error, BadValue) else " is no annotation"
            raise UnreadableParameter(said, node) from error
        return replace(typed, default=self._default(typed, default))

    def _value(self, node: ast.expr | None) -> object:
        try:
            return None if node is None else evaluate(node, self.constants)
        except BadValue:
            return None

    def _default(self, parameter: Parameter, node: ast.expr | None) -> str:
        """Return a default as Python source; of an Enum its member's name, of a constant its value."""
        if node is None or (isinstance(node, ast.Constant) and node.value is None):
            return ""
        if parameter.enum and isinstance(node, ast.Attribute):
            return repr(node.attr)
        value = self._value(node)
        return ast.unparse(node) if value is None else repr(value)

    def _typed(self, parameter: Parameter, node: ast.expr, depth: int) -> Parameter:
        """Return a parameter with the type of an annotation; raise BadValue for one that words cannot become."""
        if depth > _DEEPEST:
            raise BadValue("it is made of itself")
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._typed(parameter, ast.parse(node.value.strip(), mode="eval").body, depth + 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._union(parameter, [node.left, node.right], depth)
        if isinstance(node, ast.Subscript):
            return self._subscripted(parameter, node, depth)
        if isinstance(node, ast.Name) and node.id in self._aliases:
            return self._typed(parameter, self._aliases[node.id], depth + 1)
        return self._named(parameter, node)

    def _named(self, parameter: Parameter, node: ast.expr) -> Parameter:
        if isinstance(node, ast.Name) and self._enums.get(node.id):
            return replace(parameter, kind=ValueKind.CHOICE, choices=self._enums[node.id], enum=node.id)
        name = self._name(node)
        if name in _LISTS:
            return replace(parameter, is_list=True)
        if name not in _SCALARS:
            raise BadValue("it is not known what that is" if name is None else f"{name} is not a type of words")
        return replace(parameter, kind=_SCALARS[name])

    def _subscripted(self, parameter: Parameter, node: ast.Subscript, depth: int) -> Parameter:
        name, inner = self._name(node.value), node.slice
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        if name == "Optional":
            return self._typed(parameter, inner, depth + 1)
        if name == "Union":
            return self._union(parameter, parts, depth)
        if name == "Literal":
            return self._literal(parameter, parts)
        if name in _LISTS:
            item = self._typed(parameter, inner, depth + 1)
            if item.is_list:
                raise BadValue("a list of lists")
            return replace(item, is_list=True)
        if name == "Annotated":
            remarks = [part.value for part in parts[1:] if isinstance(part, ast.Constant)]
            typed = self._typed(parameter, parts[0], depth + 1)
            return replace(
                typed,
                is_secret=typed.is_secret or _REMARKS[0] in remarks,
                takes_dash=typed.takes_dash or _REMARKS[1] in remarks,
            )
        raise BadValue("it is not known what that is" if name is None else f"{name} is not a type of words")

    def _union(self, parameter: Parameter, parts: Sequence[ast.expr], depth: int) -> Parameter:
        typed = [self._typed(parameter, part, depth + 1) for part in _flat(parts) if not _is_none(part)]
        if typed and all(one.kind is ValueKind.CHOICE and not one.enum for one in typed):
            choices = dict.fromkeys((type(choice), choice) for one in typed for choice in one.choices)
            return replace(typed[0], choices=tuple(choice for _, choice in choices))
        if len(typed) != 1:
            raise BadValue("more than one type, and words do not say which")
        return typed[0]

    def _literal(self, parameter: Parameter, parts: Sequence[ast.expr]) -> Parameter:
        values = [evaluate(part, {}) for part in parts if not _is_none(part)]
        choices = tuple(value for value in values if isinstance(value, str | int | bool))
        if not choices or len(choices) != len(values):
            raise BadValue("a Literal of texts and whole numbers is meant")
        return replace(parameter, kind=ValueKind.CHOICE, choices=choices)

    def _name(self, node: ast.expr) -> str | None:
        """Return the last part of a name as its module has it; None for the names of other modules."""
        dotted = dotted_name(node)
        if dotted is None:
            return None
        root, _, rest = dotted.partition(".")
        if not rest:
            return None if root in self._other else self._imported.get(root, root)
        module = self._imported.get(root, root)
        # `import datetime` binds a module, and `from datetime import datetime` a class of that name.
        return (
            rest.rpartition(".")[2] if module in _MODULES or f"{module}.{rest}".startswith("collections.abc.") else None
        )

    def _note_import(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.ImportFrom):
            is_known = statement.module in _MODULES and not statement.level
            self._imported |= {
                alias.asname or alias.name: alias.name if is_known else None for alias in statement.names
            }
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                self._imported[alias.asname or name] = name

    def _note_class(self, node: ast.ClassDef) -> None:
        self._other.add(node.name)
        bases = [base for base in node.bases if self._name(base) in _ENUMS or dotted_name(base) in self._enums]
        if bases and self.scan.bound[node.name] == 1:
            self._enums[node.name] = tuple(_members(node))


def _typed_by(parameter: Parameter, default: object) -> Parameter:
    """Return a parameter without annotation with the type of its default."""
    if isinstance(default, list):
        return replace(_typed_by(parameter, default[0] if default else None), is_list=True)
    for kind, type_ in ((ValueKind.FLAG, bool), (ValueKind.WHOLE, int), (ValueKind.NUMBER, float)):
        if isinstance(default, type_):
            return replace(parameter, kind=kind)
    return parameter


def _members(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        for target in targets:
            if isinstance(target, ast.Name) and not target.id.startswith("_"):
                yield target.id


def _flat(parts: Sequence[ast.expr]) -> Iterator[ast.expr]:
    for part in parts:
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.BitOr):
            yield from _flat([part.left, part.right])
        else:
            yield part


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
