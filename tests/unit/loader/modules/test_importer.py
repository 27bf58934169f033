from __future__ import annotations

import importlib
import inspect
import pickle
import signal
import sys
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slack_alert.loader import load, survey, unload
from slack_alert.loader.modules.background_loading import LoadOptions
from tests.fakes.plugins import DEFAULTS, call, loaded, names, problems, surveyed, write

SIBLINGS = [
    "import common\nVALUE = common",
    "import common as c\nVALUE = c",
    "import os, common, sys\nVALUE = common\nassert os and sys",
    "from . import common\nVALUE = common",
    "import plugins.common\nVALUE = plugins.common",
    "from plugins import common\nVALUE = common",
    "from common import this\nVALUE = this()",
    "from common import *\nVALUE = this()",
    "from .common import this as t\nVALUE = t()",
    "import db.common.deep, db.user\nVALUE = db.user.common",
    "import db.user as u\nVALUE = u.common",
    "from db.user import common\nVALUE = common",
    "from db import user\nVALUE = user.common",
    "def g():\n  import common\n  return common\nVALUE = g()",
    "try:\n  import common\nexcept ImportError:\n  raise\nVALUE = common",
    "import lib.part\nVALUE = lib.part.common",
]


def module(name: str) -> Any:  # Any: what the test wrote
    return importlib.import_module(f"plugins.{name}")


def test_survey_executes_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    catalog = surveyed(tmp_path, f"open({str(mark)!r}, 'w')\n@deco(hours=1)\ndef f(): pass")

    assert names(catalog) == ["x.f"]
    assert not mark.exists()
    assert "plugins" not in sys.modules


def test_files_without_markers_are_executed_when_somebody_imports_them(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "x.py": "import _private\n@deco(hours=1)\ndef f(): return _private.VALUE",
        "_private.py": "VALUE = 1",
        "script.py": "raise SystemExit",
        "off.py": "@deco(hours=1, enabled=False)\ndef f(): pass\nraise SystemExit",
    }
    with loaded(tmp_path, files) as catalog:
        assert problems(catalog) == []
        assert call(catalog, "f") == 1
        assert sorted(name for name in sys.modules if name.startswith("plugins")) == [
            "plugins",
            "plugins._private",
            "plugins.x",
        ]


@pytest.mark.parametrize("source", SIBLINGS)
def test_files_of_one_folder_import_each_other(tmp_path: Path, source: str) -> None:
    files: dict[str, str | bytes] = {
        "x.py": f"{source}\n@deco(hours=1)\ndef f(): return VALUE",
        "common.py": "import sys\ndef this(): return sys.modules[__name__]",
        "db/user.py": "from plugins import common",
        "db/common/deep.py": "",
        "lib/__init__.py": "",
        "lib/part.py": "from .. import common",
    }
    with loaded(tmp_path, files) as catalog:
        assert problems(catalog) == []
        assert call(catalog, "f") is sys.modules["plugins.common"]


def test_a_plugin_shadows_nothing_for_anybody_else(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "json.py": "import json\n@deco(hours=1)\ndef f(): return json.dumps(1)",
        "x.py": "import json\n@deco(hours=1)\ndef f(): return json.f()",
        "db/x.py": "import json\n@deco(hours=1)\ndef f(): return json.__name__",
        "email/x.py": "",
        "y.py": "import email\n@deco(hours=1)\ndef f(): return email.__name__",
    }
    path = list(sys.path)
    with loaded(tmp_path, files) as catalog:
        assert problems(catalog) == []
        found = {binding.name: call(catalog, binding.name) for binding in catalog.bindings}
        assert found == {"db.x.f": "json", "json.f": "1", "x.f": "1", "y.f": "email"}
        assert sys.path == path


def test_a_file_and_a_folder_may_share_a_name(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.py": "from .common import X\n@deco(hours=1)\ndef f(): return X",
        "a/b.py": "@deco(hours=1)\ndef f(): return __name__",
        "common.py": "X = 1",
        "bad.py": "@deco(hours=1)\ndef f(): pass\n1/0",
        "bad/b.py": "@deco(hours=1)\ndef f(): return 2",
        "worse.py": "(",
        "worse/b.py": "@deco(hours=1)\ndef f(): return 3",
    }
    with loaded(tmp_path, files) as catalog:
        assert [(problem.file, problem.code) for problem in catalog.problems] == [
            ("plugins/bad.py", "SA103"),
            ("plugins/worse.py", "SA101"),
        ]
        found = {binding.name: call(catalog, binding.name) for binding in catalog.bindings}
        assert found == {"a.f": 1, "a.b.f": "plugins.a.b", "bad.b.f": 2, "worse.b.f": 3}


def test_the_init_file_of_a_folder_runs_and_a_broken_one_harms_nobody(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "good/__init__.py": "X = 1",
        "good/x.py": "from . import X\n@deco(hours=1)\ndef f(): return X",
        "broken/__init__.py": "\n1/0",
        "broken/x.py": "@deco(hours=1)\ndef f(): return 2",
        "broken/y.py": "@deco(hours=1)\ndef f(): return 3",
    }
    with loaded(tmp_path, files) as catalog:
        assert [(problem.file, problem.line, problem.code) for problem in catalog.problems] == [
            ("plugins/broken/__init__.py", 2, "SA103")
        ]
        found = {binding.name: call(catalog, binding.name) for binding in catalog.bindings}
        assert found == {"good.x.f": 1, "broken.x.f": 2, "broken.y.f": 3}


def test_a_plugin_is_a_real_module(tmp_path: Path) -> None:
    source = """\
from __future__ import annotations
import dataclasses

@dataclasses.dataclass(frozen=True)
class Point:
    x: int = 1

@deco(hours=1)
def f():
    return Point()

@deco(hours=1)
def g():
    raise LookupError
"""
    with loaded(tmp_path, {"db/x.py": source}) as catalog:
        point: Any = call(catalog, "f")
        assert pickle.loads(pickle.dumps(point)) == point
        x = module("db.x")
        assert (x.__file__, x.__name__, x.__package__) == (
            str(tmp_path / "plugins/db/x.py"),
            "plugins.db.x",
            "plugins.db",
        )
        assert inspect.getsource(x.f) == "def f():\n    return Point()\n"
        with pytest.raises(LookupError) as caught:
            call(catalog, "g")
        assert traceback.extract_tb(caught.value.__traceback__)[-1][:4] == (x.__file__, 14, "g", "raise LookupError")
        assert list(tmp_path.rglob("__pycache__")) == []


def test_bytecode_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    import py_compile

    write(
        tmp_path,
        {"x.py": "def deco(**k):\n  def marked(f): return None\n  return marked\n@deco(hours=1)\ndef f(): return 1"},
    )
    py_compile.compile(str(tmp_path / "plugins/x.py"))

    with loaded(tmp_path, {}) as catalog:
        assert call(catalog, "f") == 1


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        ("x = 1\n1/0", 4, "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", 3, "SystemExit: 3"),
        ("def g():\n  raise GeneratorExit\ng()", 4, "GeneratorExit"),
        ("import not_installed_anywhere", 3, "ModuleNotFoundError: No module named 'not_installed_anywhere'"),
        ("import broken", 3, "SyntaxError: '(' was never closed (broken.py, line 1)"),
        ("import raising", 3, "KeyError: 1 (at plugins/raising.py:2)"),
        ("@nowhere\ndef g(): pass", 3, "NameError: name 'nowhere' is not defined"),
        ("class E(Exception):\n  def __str__(self): 1/0\nraise E", 5, "E"),
        ("raise ValueError('a\\nb')", 3, "ValueError: a b"),
        ("import json\njson.loads('')", 4, "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ("import sys\ndel sys.modules[__name__]", 1, "KeyError: 'plugins.x'"),
    ],
)
def test_a_file_that_fails_while_loading_is_a_problem_with_its_line(
    tmp_path: Path, source: str, place: int, message: str
) -> None:
    files: dict[str, str | bytes] = {
        "x.py": f"@deco(hours=1)\ndef f(): pass\n{source}",
        "y.py": "@deco(hours=1)\ndef f(): pass",
        "broken.py": "(",
        "raising.py": "def g():\n  raise KeyError(1)\ng()",
    }
    with loaded(tmp_path, files) as catalog:
        (problem,) = [problem for problem in catalog.problems if problem.code == "SA103"]
        assert (problem.file, problem.line, problem.column) == ("plugins/x.py", place, 1)
        assert problem.message == f"failed while loading: {message}"
        assert names(catalog) == ["y.f"]
        assert "plugins.x" not in sys.modules


@pytest.mark.parametrize(
    "source", ["@lambda f: None\ndef f(): pass", "def f(): pass\nimport sys\nsys.modules[__name__] = 5"]
)
def test_a_job_that_is_no_function_after_loading_is_a_problem(tmp_path: Path, source: str) -> None:
    with loaded(tmp_path, {"x.py": f"@deco(hours=1)\n{source}"}) as catalog:
        assert problems(catalog) == [("SA103", 1, 1)]
        assert names(catalog) == []


def test_ctrl_c_while_loading_ends_it(tmp_path: Path) -> None:
    finders, before = list(sys.meta_path), signal.getsignal(signal.SIGINT)
    write(tmp_path, {"x.py": "import os\nos.kill(os.getpid(), 2)\nwhile 1: pass\n@deco(hours=1)\ndef f(): pass"})
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            load(tmp_path, DEFAULTS)
    finally:
        signal.signal(signal.SIGINT, before)

    assert sys.meta_path == finders
    assert "plugins" not in sys.modules


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"def f(:\n", "SA101", 1),
        (b"x = 1\nreturn 5", "SA101", 2),
        (b"if 1:\n\tx=1\n        y=2\n", "SA101", 3),
        (b"x = " + b"(" * 5000, "SA101", 1),
        (b"x = " + b"-" * 100_000 + b"1", "SA101", 1),
        (b"x = 1" + b"+1" * 100_000, "SA101", 1),
        (b"x = 1\n\0", "SA102", 2),
        (b"x = 1\ny = '\xe9'", "SA102", 2),
        (b"# coding: nonsense\nx = 1", "SA102", 1),
        (b"# coding: hex\nx = 1", "SA102", 1),
        (b"# coding: undefined\nx = 1", "SA102", 1),
        (b"# coding: unicode_escape\nx = '\\ud800'", "SA102", 1),
        (b"\xef\xbb\xbf# coding: latin-1\nx = 1", "SA102", 1),
        ("x = 1".encode("utf-16"), "SA102", 1),
        (b"\x89PNG\r\n\x1a\n", "SA102", 1),
    ],
)
def test_a_file_that_is_no_python_harms_only_itself(tmp_path: Path, content: bytes, code: str, line: int) -> None:
    write(tmp_path, {"x.py": content, "y.py": "@deco(hours=1)\ndef f(): pass"})
    catalog = survey(tmp_path, DEFAULTS)

    assert [(problem.file, problem.code, problem.line) for problem in catalog.problems] == [
        ("plugins/x.py", code, line)
    ]
    assert catalog.problems[0].hint
    assert names(catalog) == ["y.f"]


@pytest.mark.parametrize(
    "content",
    [
        "# coding: latin-1\n@deco(hours=1)\ndef f(): return 'é'".encode("latin-1"),
        "#!/usr/bin/python\n# -*- coding: cp1252 -*-\n@deco(hours=1)\ndef f(): return 'é'".encode("cp1252"),
        "\ufeff@deco(hours=1)\ndef f(): return 'é'".encode(),
        "\ufeff# coding: utf-8\r\n@deco(hours=1)\r\ndef f(): return 'é'".encode(),
        "@deco(hours=1)\rdef f():\r\treturn 'é'".encode(),
    ],
)
def test_encoding_cookie_mark_and_line_ends_are_honoured(tmp_path: Path, content: bytes) -> None:
    with loaded(tmp_path, {"x.py": content}) as catalog:
        assert call(catalog, "f") == "é"


def test_warnings_of_the_compiler_are_notices(tmp_path: Path) -> None:
    catalog = surveyed(tmp_path, "@deco(hours=1)\ndef f(): return 1 is 1\nx = '\\d'")

    assert [(str(problem.severity), problem.code, problem.line) for problem in catalog.problems] == [
        ("notice", "SA101", 2),
        ("notice", "SA101", 3),
    ]
    assert names(catalog) == ["x.f"]


def test_loading_again_takes_what_is_there_now(tmp_path: Path) -> None:
    source = "@deco(hours=1)\ndef f(): return "
    with (
        loaded(tmp_path, {"x.py": f"{source}1"}) as before,
        loaded(tmp_path, {"x.py": f"{source}2"}) as after,
    ):
        assert (call(before, "f"), call(after, "f")) == (1, 2)


def test_unloading_leaves_nothing_behind(tmp_path: Path) -> None:
    other = type(sys)("plugins")
    sys.modules["plugins"] = other
    finders = list(sys.meta_path)
    with loaded(tmp_path, {"x.py": "@deco(hours=1)\ndef f(): return __name__"}) as catalog:
        assert sys.modules["plugins"] is not other
        assert sys.meta_path != finders
    unload()

    assert call(catalog, "f") == "plugins.x"
    assert (sys.modules.pop("plugins"), sys.meta_path) == (other, finders)
    assert "plugins.x" not in sys.modules


def test_progress_is_told_after_each_file(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "", "b.py": "@deco(hours=1)\ndef f(): pass", "c.py": "("})
    told: list[tuple[int, int]] = []
    load(tmp_path, DEFAULTS, progress=lambda done, total: told.append((done, total)))
    unload()

    assert told == [(1, 3), (2, 3), (3, 3)]


def test_many_plain_files_and_others_between_them_keep_their_order(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"d{at // 110}/f{at:03}.py": "@deco(hours=1)\ndef f(): pass" for at in range(330)}
    files["d1/f150.py"] = "print('loads')\n@deco(hours=1)\ndef f(): pass"
    files["d1/f160.py"] = "raise ValueError('no')\n@deco(hours=1)\ndef f(): pass"
    write(tmp_path, files)
    told: list[int] = []
    catalog = load(tmp_path, DEFAULTS, progress=lambda done, _: told.append(done))
    unload()

    assert names(catalog) == [f"d{at // 110}.f{at:03}.f" for at in range(330) if at != 160]
    assert [problem.file for problem in catalog.problems] == ["plugins/d1/f160.py"]
    assert told == [*range(1, 331)]


@pytest.mark.slow
def test_a_package_that_never_ends_keeps_out_one_file_at_most(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"d/f{at}.py": "@deco(hours=1)\ndef f(): pass" for at in range(4)}
    write(tmp_path, files | {"d/__init__.py": "from time import sleep\nwhile True: sleep(0.01)"})
    catalog = load(tmp_path, DEFAULTS, options=LoadOptions(timedelta(seconds=0.4), slow=timedelta(seconds=0.1)))
    unload()

    assert names(catalog) == ["d.f1.f", "d.f2.f", "d.f3.f"]
    assert [problem.file for problem in catalog.problems] == ["plugins/d/f0.py"]


@pytest.mark.slow
def test_a_file_of_ten_megabytes_is_read(tmp_path: Path) -> None:
    with loaded(tmp_path, {"x.py": f"@deco(hours=1)\ndef f(): return len(X)\nX = '''{'a' * 10_000_000}'''"}) as catalog:
        assert call(catalog, "f") == 10_000_000


@pytest.mark.slow
def test_the_time_grows_with_the_functions_and_no_faster(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    count = 3000 if request.config.getoption("thorough") else 500
    good = "@deco(hours=1)\ndef f{0}(): pass\n"
    bad = "@deco(hours=X)\ndef g{0}(): pass\nclass A{0}:\n  @deco(hours=1)\n  def h(self): pass\n"
    write(tmp_path, {"x.py": "".join((good + bad).format(number) for number in range(count))})
    catalog = survey(tmp_path, DEFAULTS)

    assert (len(catalog.jobs), len(catalog.problems)) == (count, 2 * count)
