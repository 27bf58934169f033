from __future__ import annotations

import pytest

from slack_alert.loader.modules.inert import is_inert


@pytest.mark.parametrize(
    "source",
    [
        "",
        '"""Only words."""',
        "def f():\n    return None",
        "async def f(a: int, *, b: str = 'x') -> str:\n    yield a",
        "from __future__ import annotations\nimport os, sys\nfrom os import path\n\ndef f():\n    os._exit(1)",
        "LIMIT = 5\nNAMES = ['a', 'b', 'c', 'd']\nPORTS = {'db': 5432}\nBOTH = (LIMIT, NAMES)\nSET = {1, 2, 3, 4}",
    ],
)
def test_code_that_defines_names_is_inert(source: str) -> None:
    assert is_inert(compile(source, "a.py", "exec"))


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.umask(0)",
        "import os\nos.environ['PATH'] = ''",
        "import sys\nsys.path += ['/x']",
        "import sys\ndel sys.path",
        "import sys\nsys.excepthook = None",
        "import sys\nsys.path",
        "import antigravity",
        "import os.no_such_module",
        "import yaml",
        "from . import os",
        "from .os import path",
        "from plugins import os",
        "from os import *",
        "@register\ndef f():\n    return None",
        "def f(a=open('/x')):\n    return None",
        "class A:\n    pass",
        "x = f'{y}'",
        "x = [a for a in b]",
        "x = y[0]",
        "x = -y",
        "while True:\n    pass",
        "with x:\n    pass",
        "raise KeyboardInterrupt",
        "assert x",
        "global x\nx = 1\ndel x",
        "x: int = 5",
        "x: print('called') = 5",
        "{}[x] = 5",
    ],
)
def test_code_that_may_do_something_is_not(source: str) -> None:
    assert not is_inert(compile(source, "a.py", "exec"))


def test_many_constants_are_looked_at_as_a_whole() -> None:
    lines = [f"x{n} = {n}" for n in range(600)]

    assert not is_inert(compile("\n".join([*lines, "import os", "os.umask(0)"]), "a.py", "exec"))
