"""Decode and parse a plugin file; what cannot be parsed is a problem with its position."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import decode_source
from types import CodeType

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.excerpts import excerpt
from slack_alert.core.structs import Struct, field
from slack_alert.loader.files.content import UnusableFileError, unusable_file
from slack_alert.loader.files.discovery import PluginFile

_SAVE_AS_UTF8 = "Save it as UTF-8, or name its encoding in the first line: # -*- coding: latin-1 -*-"


class ParsedFile(Struct):
    """A parsed plugin file; markers are removed from `tree` later."""

    file: PluginFile
    text: str
    tree: ast.Module
    problems: list[Problem] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The lines as the parser counts them: only newlines end a line."""
        if not self._lines:
            self._lines = self.text.split("\n")
        return self._lines

    def place(self, decorator: ast.expr) -> tuple[int, int]:
        """Return the position of the `@` of a decorator; columns count characters from 1."""
        line = decorator.lineno
        before = _characters(self.lines[line - 1], decorator.col_offset)
        while "@" not in before and line > 1:
            line -= 1
            before = self.lines[line - 1]
        return line, before.rfind("@") + 1

    def start(self, node: ast.expr | ast.arg) -> tuple[int, int]:
        """Return where an expression begins; columns count characters from 1."""
        return node.lineno, len(_characters(self.lines[node.lineno - 1], node.col_offset)) + 1

    def segment(self, node: ast.expr) -> str:
        """Return a piece of the source in one short line."""
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        lines = self.lines[first:last]
        # The end first: if both are on one line, cutting off the beginning would move it.
        lines[-1] = _characters(lines[-1], node.end_col_offset or 0)
        lines[0] = lines[0][len(_characters(self.lines[first], node.col_offset)) :]
        words = " ".join(" ".join(lines).split())
        return excerpt(words, 60)


def parse(file: PluginFile, content: bytes) -> ParsedFile:
    """Decode and parse a file; raise UnusableFileError with SA102 or SA101."""
    text = _decode(file, content)
    source = ParsedFile(file, text, ast.Module(body=[], type_ignores=[]))
    with _syntax_problems(source):
        source.tree = ast.parse(text, file.path)
    return source


def compile_tree(source: ParsedFile) -> CodeType:
    """Compile the remaining tree; raise UnusableFileError with SA101."""
    with _syntax_problems(source):
        code: CodeType = compile(source.tree, source.file.path, "exec", dont_inherit=True)
    return code


def _decode(file: PluginFile, content: bytes) -> str:
    try:
        text = decode_source(content)
        # Some codecs produce lone surrogates, which no parser accepts.
        text.encode("utf-8")
    except UnicodeDecodeError as error:
        raise _undecodable(file, content, error) from error
    except (SyntaxError, LookupError, ValueError) as error:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as cause:
            raise _undecodable(file, content, cause) from cause
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise unusable_file(file, "SA102", f"the encoding cannot be used: {said}", hint=_SAVE_AS_UTF8) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise unusable_file(file, "SA102", "the file holds null bytes, it is not text", line=line, hint=_SAVE_AS_UTF8)
    return text


def _undecodable(file: PluginFile, content: bytes, error: UnicodeDecodeError) -> UnusableFileError:
    line = content.count(b"\n", 0, error.start) + 1
    byte = error.object[error.start]
    said = f"the file is not text in {error.encoding}: byte 0x{byte:02x} cannot be decoded"
    return unusable_file(file, "SA102", said, line=line, hint=_SAVE_AS_UTF8)


@contextmanager
def _syntax_problems(source: ParsedFile) -> Iterator[None]:
    """Turn errors of the parser or compiler into problems, and warnings into notices, whatever the filters are.

    A collection of garbage may happen meanwhile: what it warns of is somewhere else, and is not said of this file.
    """
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            yield
    except SyntaxError as error:
        raise _syntax_problem(source, error) from error
    except (RecursionError, MemoryError) as error:
        hint = "Break the expression or the blocks into smaller pieces."
        raise unusable_file(source.file, "SA101", "the code is nested too deeply to be read", hint=hint) from error
    except (ValueError, OverflowError) as error:
        raise unusable_file(source.file, "SA101", f"the code cannot be compiled: {error}", hint="") from error
    for warning in told:
        notice = Problem(source.file.shown, warning.lineno, 1, Severity.NOTICE, "SA101", str(warning.message))
        if warning.filename == source.file.path and notice not in source.problems:
            source.problems.append(notice)


def _syntax_problem(source: ParsedFile, error: SyntaxError) -> UnusableFileError:
    line, column = max(error.lineno or 1, 1), max(error.offset or 1, 1)
    if source.tree.body and line <= len(source.lines):
        # The compiler, unlike the parser, counts bytes.
        column = len(_characters(source.lines[line - 1], column - 1)) + 1
    hint = "Correct it; the other files run meanwhile."
    return unusable_file(source.file, "SA101", error.msg, line=line, column=column, hint=hint)


def _characters(line: str, count: int) -> str:
    return line[:count] if line.isascii() else line.encode("utf-8")[:count].decode("utf-8", "replace")
