"""Decide whether a message is a command, and which of its text is the command's line; doors only pass messages on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from slack_alert.core.commands.signature import CommandSignature
from slack_alert.core.commands.suggestions import spelling, spellings
from slack_alert.core.commands.words import FENCE, plain_text
from slack_alert.core.model.asked import ButtonPress, ChatMessage
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct, field


class Addressing(Struct, frozen=True):
    """How people address commands: the settings of [chat], and the words that commands begin with."""

    #: An empty one: a whole message is a command where its first words are one.
    prefixes: tuple[str, ...] = ("!",)
    #: The prefixes of single conversations instead, by id or `#name`.
    prefixes_by_channel: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: `/test 233` within a sentence is a command.
    has_tags: bool = False
    #: The words of all commands as `first_words` returns them, with the number of words that each requires.
    first_words: Mapping[tuple[str, ...], int] = field(default_factory=dict)


def first_words(commands: Iterable[CommandSignature]) -> dict[tuple[str, ...], int]:
    """Return the words that commands begin with, each with the number of words that its parameters require."""
    return {
        words: sum(parameter.is_required and not parameter.is_named for parameter in command.parameters)
        for command in commands
        for words in spellings(command)
    }


def pressed_text(press: ButtonPress, words: Iterable[tuple[str, ...]]) -> str | None:
    """Return the line of a button; None if it is not of this program: messages may have buttons of their own."""
    action = tuple(spelling(press.action).split())
    return f"{press.action} {press.value}".strip() if action and action in words else None


def asked_text(message: ChatMessage, addressing: Addressing) -> str | None:
    """Return the line of a command, without prefix; None if the message is no command.

    Empty: somebody addressed the bot and wrote nothing else. A tag that begins a line of the text has all of that line;
    within a sentence it has the words that its command requires, and the options after them.
    """
    text = message.text.strip()
    if message.is_slash:
        return _without_slash(text)
    if text.startswith(FENCE):
        return None
    prefixes = _prefixes(message, addressing)
    line = _after_prefix(text, prefixes)
    if line is not None:
        return _without_slash(line)
    if message.is_mention or message.is_direct:
        return _without_slash(text)
    if "" in prefixes and _count(text.removeprefix("/").split(), addressing):
        return _without_slash(text)
    return _tagged(text, addressing) if addressing.has_tags else None


def _prefixes(message: ChatMessage, addressing: Addressing) -> tuple[str, ...]:
    conversation = message.reply_to.to.conversation
    own = addressing.prefixes_by_channel.get(conversation)
    return addressing.prefixes if own is None else own


def _after_prefix(text: str, prefixes: Iterable[str]) -> str | None:
    """Return what stands after the longest prefix, if it is empty or looks like words: `!?` is no command."""
    for prefix in sorted(filter(None, prefixes), key=len, reverse=True):
        # A prefix may have been typed in its full-width form.
        if not text[: len(prefix)].translate(_NARROW).casefold().startswith(prefix.translate(_NARROW).casefold()):
            continue
        rest = text[len(prefix) :]
        is_word = prefix[-1].isalnum() and rest[:1].isalnum()
        line = rest.lstrip()
        if not line:
            return ""
        return None if is_word or not _BEGINNING.match(line) or line.startswith(FENCE) else line
    return None


def _without_slash(line: str) -> str:
    line = line.strip()
    return line[1:] if _SLASH.match(line) else line


def _count(words: Sequence[str], addressing: Addressing) -> int:
    """Return how many of the first words are a command's; 0: they are none."""
    longest = max(map(len, addressing.first_words), default=0)
    given = tuple(spelling(plain_text(word).translate(_NARROW)) for word in words[:longest])
    return next((count for count in range(len(given), 0, -1) if given[:count] in addressing.first_words), 0)


def _tagged(text: str, addressing: Addressing) -> str | None:
    """Return the line of the first tag in a text that is a command; code and quoted lines have none."""
    for line in _CODE.sub(" ", text).splitlines():
        if line.lstrip().startswith((">", "&gt;")):
            continue
        for found in _TAG.finditer(line):
            words = line[found.end() :].split()
            count = _count(_unpunctuated(words), addressing)
            if count and not line[: found.start()].strip():
                return line[found.end() :].strip()
            if count:
                return " ".join(_sentence_words(words, count, addressing))
    return None


def _sentence_words(words: Sequence[str], count: int, addressing: Addressing) -> list[str]:
    """Return the words of a command within a sentence: its own, those it requires, and options."""
    clean = _unpunctuated(words)
    required = addressing.first_words[tuple(spelling(word.translate(_NARROW)) for word in clean[:count])]
    end = count
    while end < len(words) and (end < count + required or _OPTION.match(words[end])):
        if end and clean[end - 1] != words[end - 1]:  # The sentence, or a part of it, ends here.
            break
        end += 1
    return [*clean[: end - 1], clean[end - 1]]


def _unpunctuated(words: Iterable[str]) -> list[str]:
    return [word.rstrip(_PUNCTUATION) or word for word in words]


#: Full-width forms as ASCII.
_NARROW = {form: form - 0xFEE0 for form in range(0xFF01, 0xFF5F)}
_PUNCTUATION = ",;:!?.)，；：！？。、）"
#: What a line of words may begin with.
_BEGINNING = lazy_pattern(r"[\w./\"'`“‘„«「<]")
_SLASH = lazy_pattern(r"/\w")
_TAG = lazy_pattern(r"(?<!\S)/(?=\w)")
_OPTION = lazy_pattern(r"--?[A-Za-z]|[A-Za-z_][\w-]*=")
#: Blocks of code, the last of which may be open, and code within a line.
_CODE = lazy_pattern(r"(?s:```.*?(?:```|\Z))|`[^`\n]*`")
