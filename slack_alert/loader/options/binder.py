"""Turn the declarations of markers into bindings: jobs and commands with everything they need to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from slack_alert.core.bindings import Binding, Job
from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.commands.command import GUARD_PARAMETERS, Command, Guard
from slack_alert.core.errors import BadValue
from slack_alert.core.model.run import Action, Isolation
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.names import composed, suggestion
from slack_alert.loader.files.discovery import PluginFile
from slack_alert.loader.options.option_checks import parse_lock
from slack_alert.loader.options.resolve import OptionDefaults, OptionResolver, ResolvedOptions
from slack_alert.loader.parsing.declaration import Declaration
from slack_alert.loader.parsing.literals import NEEDED_KEYWORDS

if TYPE_CHECKING:
    from slack_alert.core.pack import Pack


class BindingPlan(Struct, frozen=True):
    """A sound declaration, which becomes bindings once its function is loaded."""

    name: str
    file: PluginFile
    declaration: Declaration
    options: ResolvedOptions
    #: The pack of the file, if it is in one.
    pack: Pack | None = None

    def bindings(self, function: Callable[..., Any] | None = None) -> tuple[Binding, ...]:  # Any: it is the plugin's
        """Return the job and the command of the function."""
        declaration = self.declaration
        action = Action(
            self.name,
            self.file.shown,
            declaration.line,
            declaration.doc,
            function,
            declaration.takes_context,
            declaration.is_async,
            declaration.parameters,
            self.pack,
            declaration.required if declaration.parameters else (),
            declaration.params,
        )
        made = tuple([make(self.name, action) for make in self.options.makers])
        if self.pack is not None:
            made = tuple(_of_pack(each, self.pack) for each in made)
        return tuple(map(self._with_signature, made)) if "command" in declaration.keywords else made

    def _with_signature(self, binding: Binding) -> Binding:
        """Return a command with what its function says of it."""
        declaration = self.declaration
        if not isinstance(binding, Command):
            return binding
        return replace(binding, parameters=declaration.command_parameters, examples=declaration.examples)


class Binder:
    """Makes the bindings of all files, and adds what is wrong with them to `problems`."""

    def __init__(
        self, defaults: OptionDefaults, problems: list[Problem], packs: Mapping[str, Pack] | None = None
    ) -> None:
        self.problems = problems
        self._packs = packs or {}
        self._resolver = OptionResolver(defaults)
        #: The file and line where each full name was taken.
        self._places: dict[str, tuple[str, int]] = {}
        #: The full names of the commands that have taken words; empty: a verb built in.
        self._words = dict.fromkeys(map(_spelling, defaults.built_in), "")
        self.reserve(defaults.commands)

    def bind(self, file: PluginFile, declaration: Declaration) -> tuple[Binding, ...]:
        """Return the bindings of a declaration, without its function; none if `plan` returns None."""
        plan = self.plan(file, declaration)
        return plan.bindings() if plan else ()

    def plan(self, file: PluginFile, declaration: Declaration) -> BindingPlan | None:
        """Prepare the bindings of a declaration; return None if a problem or its author excludes it."""
        options = self._resolver.resolve(declaration)
        is_short = declaration.required and _is_short_of_arguments(declaration)
        misnamed = [*_misnamed(file, declaration)]
        if not declaration.is_sound or options.faults or misnamed or is_short:
            self.problems.extend(_faults(file, declaration, options))
            self.problems.extend(misnamed if not options.faults else ())
            return None
        if options.later or options.never or declaration.never_recovers:
            self.problems.extend(_remarks(file, declaration, options))
        name = declaration.name_in(file.name)
        if not self._is_possible(name, file, declaration):
            return None
        plan = BindingPlan(name, file, declaration, options, self._packs.get(file.tree.pack))
        for command in plan.bindings() if "command" in declaration.keywords else ():
            if isinstance(command, Command):
                self._take_words(command, plan)
        return plan

    def _is_possible(self, name: str, file: PluginFile, declaration: Declaration) -> bool:
        """Return whether a sound declaration may have bindings."""
        if file.tree.is_isolated and "guard" in declaration.keywords:
            self.problems.append(_isolated_guard(file, declaration))
            return False
        return self._is_enabled(file, declaration) and not self._is_taken(name, file, declaration)

    def _is_enabled(self, file: PluginFile, declaration: Declaration) -> bool:
        """Return whether its author, or the configuration of its pack, wants it to run."""
        if not isinstance(enabled := declaration.keywords.get("enabled"), str):
            return declaration.is_enabled
        key, pack = enabled.rpartition(".")[2], self._packs.get(file.tree.pack)
        if pack is not None and key in pack.config:
            return bool(pack.config[key]) is not enabled.startswith("not ")
        said = f"enabled: {f'the pack has no config.{key}' if pack else 'outside of packs there is no configuration'}"
        hint = f"Write [config.{key}] into pack.toml." if pack else "Write True or False, without quotes."
        self.problems.append(_fault(file, declaration, "SA201", said, hint))
        return False

    def _take_words(self, command: Command, plan: BindingPlan) -> None:
        for words in (command.words, *command.aliases):
            owner = self._words.setdefault(_spelling(words), command.name)
            if owner != command.name:
                self.problems.append(_taken_words(plan, words, owner))

    def reserve(self, bindings: Iterable[Binding]) -> None:
        """Reserve the names of existing bindings."""
        for binding in bindings:
            self._places.setdefault(binding.name, (binding.action.file, binding.action.line))
            for words in (binding.words, *binding.aliases) if isinstance(binding, Command) else ():
                self._words.setdefault(_spelling(words), binding.name)

    def _is_taken(self, name: str, file: PluginFile, declaration: Declaration) -> bool:
        place = file.shown, declaration.line
        first = self._places.setdefault(name, place)
        if first is place or first == place:
            return False
        said = f"the name {name} is taken by {first[0]}:{first[1]}"
        hint = 'Rename the function, or give it a name of its own: name="...".'
        self.problems.append(_fault(file, declaration, "SA206", said, hint))
        return True


def _of_pack(binding: Binding, pack: Pack) -> Binding:
    """Return a binding of a pack's function: with the full names of its events, and where the pack has to run."""
    if pack.python and not isinstance(binding, Guard):
        binding = replace(binding, run_options=replace(binding.run_options, isolation=Isolation.PROCESS))
    if not isinstance(binding, Job):
        return binding
    rule, emits = binding.rule, binding.emits
    return replace(
        binding,
        emits=tuple(map(pack.full_name, emits)),
        rule=rule and replace(rule, on=tuple(map(pack.full_name, rule.on))),
    )


def _misnamed(file: PluginFile, declaration: Declaration) -> Iterator[Problem]:
    """Yield what is wrong with the parameters that keywords name, or leave without a value."""
    keywords = declaration.keywords
    if "guard" in keywords and (unasked := _unasked(declaration)):
        yield _unasked_problem(file, declaration, unasked)
    if ("params" in keywords or "collect" in keywords) and (unfilled := _unfilled(declaration)):
        yield _fault(file, declaration, *unfilled)
    if "lock" in keywords and (unlocked := _unlocked(declaration)):
        yield _unlocked_problem(file, declaration, unlocked)


def _spelling(words: str) -> str:
    """Return the words of a command as they are compared."""
    return composed(words).casefold()


def _is_short_of_arguments(declaration: Declaration) -> bool:
    return bool(declaration.required) and declaration.is_called_alone


def _unasked(declaration: Declaration) -> tuple[str, ...]:
    """Return the parameters that a guard requires and is not called with."""
    named = declaration.parameters
    return tuple(name for name in declaration.required if name not in GUARD_PARAMETERS or name not in named)


def _unasked_problem(file: PluginFile, declaration: Declaration, names: Sequence[str]) -> Problem:
    said = (
        f"{declaration.function} requires {', '.join(names)}, and a guard is called with {', '.join(GUARD_PARAMETERS)}"
    )
    hint = "Take those of them that it needs, by these names, and ctx if you like."
    return _fault(file, declaration, "SA207", said, hint)


def _isolated_guard(file: PluginFile, declaration: Declaration) -> Problem:
    said = "a guard is asked in the program itself, and a pack with requirements of its own runs elsewhere"
    return _fault(file, declaration, "SA404", said, "Put the guard into plugins/, or into a pack without requirements.")


def _unlocked(declaration: Declaration) -> tuple[str, ...]:
    """Return the names in the braces of a command's lock that are no parameters."""
    if not declaration.is_sound or "command" not in declaration.keywords:
        return ()
    known = [parameter.name for parameter in declaration.command_parameters]
    try:
        return tuple(name for name in parse_lock(declaration.keywords["lock"])[1] if name not in known)
    except BadValue:  # A fault of the options already.
        return ()


def _unfilled(declaration: Declaration) -> tuple[str, str, str] | None:
    """Return what is wrong with the parameters of a rule: they are not there, or several events have no fields."""
    function, known = declaration.function, declaration.parameters
    if "collect" in declaration.keywords and declaration.required:
        names = ", ".join(declaration.required)
        said = f"{function} requires {names}, and with collect it is called for several events"
        return "SA207", said, "Take ctx: ctx.event is the list of them."
    for name in declaration.params or ():
        if name not in known:
            hint = suggestion(name, known) if known else f"Write def {function}({name})."
            return "SA201", f"params: {function} has no parameter {name}", hint
    return None


def _unlocked_problem(file: PluginFile, declaration: Declaration, names: Sequence[str]) -> Problem:
    known = [parameter.name for parameter in declaration.command_parameters]
    said = f"lock: {declaration.function} has no parameter {names[0]}, got {declaration.keywords['lock']!r}"
    hint = suggestion(names[0], known) if known else "Write a text without braces."
    return _fault(file, declaration, "SA201", said, hint)


def _taken_words(plan: BindingPlan, words: str, owner: str) -> Problem:
    whose = f"the command {owner}" if owner else "a verb that is built in"
    said = f"the words `{words}` are also those of {whose}, which comes first"
    hint = f"Write {plan.name} for this one, or give it other words."
    return _fault(plan.file, plan.declaration, "SA211", said, hint, severity=Severity.WARNING)


def _faults(file: PluginFile, declaration: Declaration, options: ResolvedOptions) -> Iterator[Problem]:
    for said, hint in options.faults:
        yield _fault(file, declaration, "SA201", said, hint)
    if _is_short_of_arguments(declaration):
        yield _required(file, declaration)


def _required(file: PluginFile, declaration: Declaration) -> Problem:
    names = ", ".join(declaration.required)
    said = f"{declaration.function} requires {names}, and a job is called with nothing but ctx, by its name"
    return _fault(file, declaration, "SA207", said, f"Give a default: {declaration.required[0]}=None.")


def _remarks(file: PluginFile, declaration: Declaration, options: ResolvedOptions) -> Iterator[Problem]:
    """Yield warnings about keywords without effect and about a job that never runs."""
    runs = "the job runs without it" if options.makers else f"{declaration.function} does not run"
    is_command = "command" in declaration.keywords and bool(options.makers)
    for keyword in options.later:
        meanwhile = "the command does not run" if is_command and keyword in NEEDED_KEYWORDS else runs
        said = f"`{keyword}` is not there yet in this version: {meanwhile}"
        yield _fault(file, declaration, "SA209", said, "Leave it, or take it out.", severity=Severity.WARNING)
    if options.never:
        hint = 'Correct the time or the hours (working_hours="always": at all times), or write enabled=False.'
        yield _fault(file, declaration, "SA210", options.never, hint, severity=Severity.WARNING)
    if declaration.never_recovers:
        said = (
            f"recover: nothing ever tells that it is well again, because each run of {declaration.function} is an alert"
        )
        hint = "Let it wait for the events of both, and return None where all is well, or take recover out."
        yield _fault(file, declaration, "SA216", said, hint, severity=Severity.WARNING)


def _fault(
    file: PluginFile, declaration: Declaration, code: str, said: str, hint: str, *, severity: Severity = Severity.ERROR
) -> Problem:
    return Problem(file.shown, declaration.line, declaration.column, severity, code, said, hint)
