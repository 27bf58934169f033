"""Find the virtual environment of a pack with requirements; `slack-alert pack install` makes it, a start never does."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from slack_alert.core.catalog import Problem, Severity
from slack_alert.core.structs import Struct

REQUIREMENTS = "requirements.txt"
#: The folder of the environment, and the file in it that says which requirements are installed there.
ENVIRONMENT, STAMP = ".venv", "requirements.sha256"
_CODE = "SA404"


class Environment(Struct, frozen=True):
    """The environment of a pack, if it needs one."""

    #: Empty: it needs none, or has none.
    python: str = ""
    faults: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


#: A pack without requirements.
NO_ENVIRONMENT = Environment()


def find_environment(folder: Path, shown: str) -> Environment:
    """Return the environment of the pack in a folder, and what is wrong with it."""
    content = requirements_of(folder)
    if not content:
        return NO_ENVIRONMENT
    place, python = f"{shown}/{REQUIREMENTS}", python_of(folder)
    hint = f"Make it with `slack-alert pack install {shown}`."
    if not python.exists():
        said = "the environment for these requirements is missing"
        return Environment(faults=(Problem(place, 1, 1, Severity.ERROR, _CODE, said, hint),))
    own, its = version_here(), version_of(folder)
    if its != own:
        said = f"the environment is one of Python {its or 'unknown'}, and this is {own}"
        return Environment(faults=(Problem(place, 1, 1, Severity.ERROR, _CODE, said, hint),))
    if stamp_of(folder) != digest(content):
        said = "the environment was made for other requirements"
        return Environment(str(python), warnings=(Problem(place, 1, 1, Severity.WARNING, _CODE, said, hint),))
    return Environment(str(python))


def is_current(folder: Path, content: bytes) -> bool:
    """Return whether the environment in a pack's folder can be used, and was made for these requirements."""
    is_usable = python_of(folder).exists() and version_of(folder) == version_here()
    return is_usable and stamp_of(folder) == digest(content)


def requirements_of(folder: Path) -> bytes:
    """Return the requirements of a pack; empty if it has none."""
    try:
        content = (folder / REQUIREMENTS).read_bytes()
    except OSError:
        return b""
    lines = (line.strip() for line in content.splitlines())
    return content if any(line and not line.startswith(b"#") for line in lines) else b""


def python_of(folder: Path) -> Path:
    """Return the path of the Python in a pack's environment, whether it exists or not."""
    return folder / ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def version_here() -> str:
    """Return the version of this Python that its environments have to share."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def version_of(folder: Path) -> str:
    """Return the version of Python of a pack's environment; empty if it does not say."""
    try:
        lines = (folder / ENVIRONMENT / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    found = (line.partition("=")[2].strip() for line in lines if line.startswith("version"))
    return ".".join(next(found, "").split(".")[:2])


def stamp_of(folder: Path) -> str:
    """Return the digest of the requirements that a pack's environment was made for; empty if it does not say."""
    try:
        return (folder / ENVIRONMENT / STAMP).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def digest(content: bytes) -> str:
    """Return the digest of requirements."""
    return hashlib.sha256(content).hexdigest()
