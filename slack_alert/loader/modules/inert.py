"""Find modules whose execution can change nothing but their own names, as most plugin files only define functions.

The checks around an execution (see `Registrations`, `Coupling` and `ProcessGuard`) are left out for them.
"""

from __future__ import annotations

import sys
from dis import opmap
from functools import lru_cache
from types import CodeType

#: Instructions that call no other code: constants, displays of constants and names, functions, assignments.
_HARMLESS = frozenset(
    opmap[name]
    for name in (
        "CACHE", "NOP", "RESUME", "POP_TOP", "LOAD_CONST", "LOAD_NAME", "STORE_NAME", "SETUP_ANNOTATIONS",
        "MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE", "IMPORT_NAME", "IMPORT_FROM", "RETURN_VALUE", "RETURN_CONST",
        "BUILD_TUPLE", "BUILD_LIST", "BUILD_MAP", "BUILD_SET", "BUILD_CONST_KEY_MAP", "LIST_EXTEND", "SET_UPDATE",
    )
    if name in opmap
)  # fmt: skip
_IMPORT, _CONSTANT = opmap["IMPORT_NAME"], opmap["LOAD_CONST"]


def is_inert(code: CodeType) -> bool:
    """Return whether the code of a module only defines names, and imports what is imported already."""
    instructions = code.co_code
    if not _is_harmless(instructions):
        return False
    return _IMPORT not in instructions[::2] or all(
        _is_known_import(code, at) for at in range(0, len(instructions), 2) if instructions[at] == _IMPORT
    )


@lru_cache(maxsize=256)  # Thousands of files have few forms.
def _is_harmless(instructions: bytes) -> bool:
    return _HARMLESS.issuperset(instructions[::2])


def _is_known_import(code: CodeType, at: int) -> bool:
    """Return whether an instruction is an absolute import of a loaded module of the standard library."""
    instructions, name = code.co_code, code.co_names[code.co_code[at + 1]]
    is_absolute = instructions[at - 4] == _CONSTANT and code.co_consts[instructions[at - 3]] == 0
    return is_absolute and name in sys.modules and name.partition(".")[0] in sys.stdlib_module_names
