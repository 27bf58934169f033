"""Files that register with a neighbour: after an edit it holds what it would hold after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slack_alert.loader import Plugins, find_plugins, open_plugins, unload
from tests.fakes.plugins import DEFAULTS, call, write
from tests.fakes.rows import in_turn

#: What a neighbour offers, how a file registers its version there, and what the neighbour says is registered.
REGISTRIES = {
    "list": ("ALL = []", "from {hub} import ALL\nALL.append(VERSION)", "list(ALL)"),
    "dict": ("ALL = {{}}", "import {hub}\n{hub}.ALL[VERSION] = 1", "list(ALL)"),
    "set, through a function": (
        "ALL = set()\ndef add(v):\n    ALL.add(v)\n    return v",
        "from {hub} import add\nKEPT = add(VERSION)",
        "sorted(ALL)",
    ),
    "one that refuses a name twice": (
        "ALL = {{}}\ndef add(name, v):\n    if name in ALL: raise ValueError(name)\n    ALL[name] = v",
        "from . import {hub}\n{hub}.add(__name__, VERSION)",
        "list(ALL.values())",
    ),
    "decorator": (
        "ALL = []\ndef register(f):\n    ALL.append(f)\n    return f",
        "from {hub} import register\n@register\ndef g(): return VERSION",
        "[f() for f in ALL]",
    ),
    "object": (
        "class Hub:\n    def __init__(self): self.all = []\nHUB = Hub()",
        "from {hub} import HUB\nHUB.all.append(VERSION)",
        "list(HUB.all)",
    ),
    "class that is extended": (
        "class Base: pass",
        "from {hub} import Base\nclass Own(Base): v = VERSION",
        "[each.v for each in Base.__subclasses__()]",
    ),
    "class that keeps those that extend it": (
        "class Base:\n    ALL = []\n    def __init_subclass__(cls): Base.ALL.append(cls)",
        "from {hub} import Base\nclass Own(Base): v = VERSION",
        "[each.v for each in Base.ALL]",
    ),
    "single dispatch": (
        "from functools import singledispatch\n@singledispatch\ndef show(x): return 0",
        "from {hub} import show\nclass T: v = VERSION\n@show.register\ndef g(x: T): return 1",
        "[each.v for each in show.registry if each is not object]",
    ),
}


class Desk:
    """A folder with a neighbour, one file that registers there in versions, and one that always says 0."""

    def __init__(self, root: Path, kind: str, hub: str) -> None:
        self._root = root
        self._offered, self._registers, said = REGISTRIES[kind]
        self._hub = hub
        self._passed = 0.0
        self.write(0, "other")
        write(root, {f"{hub}.py": f"{self._offered.format()}\nRUN = []\n"})
        write(root, {"say.py": f"from . import {hub}\n@deco(hours=1)\ndef f(): return eval({said!r}, vars({hub}))"})
        self.plugins: Plugins

    def start(self) -> None:
        self.plugins = open_plugins(find_plugins(self._root), lambda: DEFAULTS)

    def write(self, version: int, name: str = "x", more: str = "") -> None:
        registers = self._registers.format(hub=self._hub)
        source = f"VERSION = {version}\n{registers}\n{more}\n@deco(hours=1)\ndef f(): return VERSION\n"
        write(self._root, {f"{name}.py": source})

    def remove(self, name: str) -> None:
        (self._root / "plugins" / f"{name}.py").unlink()

    def reload(self) -> None:
        for _ in range(3):
            self._passed += 3
            self.plugins.reload(self._passed)

    @property
    def registered(self) -> list[int]:
        found = call(self.plugins.catalog, "say.f")
        assert isinstance(found, list)
        return sorted(found)

    @property
    def codes(self) -> list[str]:
        return [f"{problem.file} {problem.code}" for problem in self.plugins.catalog.problems]


@pytest.fixture(autouse=True)
def _unloaded() -> Iterator[None]:
    yield
    unload()


@pytest.mark.parametrize(("kind", "hub"), in_turn(REGISTRIES, ["_hub", "hub", "zhub"]))
def test_neighbour_holds_what_it_holds_after_a_restart(tmp_path: Path, kind: str, hub: str) -> None:
    desk = Desk(tmp_path, kind, hub)
    desk.write(1)
    desk.start()
    assert desk.registered == [0, 1]
    for version in (2, 3):
        desk.write(version)
        desk.reload()
        assert desk.codes == []
        assert desk.registered == [0, version]
    desk.remove("x")
    desk.reload()
    assert desk.registered == [0]
    desk.write(4)
    desk.reload()
    assert desk.registered == [0, 4]
    desk.start()
    assert desk.registered == [0, 4]


@pytest.mark.parametrize(
    ("kind", "is_before", "more"),
    in_turn(REGISTRIES, [False, True], ["raise OSError", "import nothing_of_that_name"], rounds=2),
)
def test_version_that_fails_leaves_the_former_one_registered(
    tmp_path: Path, kind: str, more: str, *, is_before: bool
) -> None:
    desk = Desk(tmp_path, kind, "_hub")
    desk.write(1)
    desk.start()
    desk.write(2, more=more)
    if is_before:
        file = tmp_path / "plugins" / "x.py"
        file.write_text(f"{more}\n{file.read_text()}")
    desk.reload()

    assert desk.codes == ["plugins/x.py SA103"]
    assert desk.registered == [0, 1]
    assert [call(desk.plugins.catalog, f"{name}.f") for name in ("x", "other")] == [1, 0]
    desk.write(3)
    desk.reload()
    assert desk.codes == []
    assert desk.registered == [0, 3]


@pytest.mark.parametrize("kind", REGISTRIES)
def test_file_that_failed_at_the_start_is_registered_once_when_it_is_mended(tmp_path: Path, kind: str) -> None:
    desk = Desk(tmp_path, kind, "_hub")
    desk.write(1, more="raise OSError")
    desk.start()
    desk.write(2)
    desk.reload()

    assert desk.codes == []
    assert desk.registered == [0, 2]


def test_neighbour_that_is_only_read_is_not_executed_again(tmp_path: Path) -> None:
    write(tmp_path, {"_common.py": "RUNS = []\nLIMIT = 3\ndef limit(): return LIMIT"})
    used = "from _common import RUNS, limit\nL = limit()\n"
    source = f"{used}@deco(hours=1)\ndef f():\n    RUNS.append(1)\n    return len(RUNS)\n"
    write(tmp_path, {"x.py": source})
    plugins = open_plugins(find_plugins(tmp_path), lambda: DEFAULTS)
    call(plugins.catalog, "x.f")
    write(tmp_path, {"x.py": f"{source}# edited\nMORE = 1\n"})
    plugins.reload(10.0)
    plugins.reload(20.0)

    # What functions have put there since is no registration, and stays.
    assert call(plugins.catalog, "x.f") == 2


def test_package_holds_what_it_holds_after_a_restart(tmp_path: Path) -> None:
    job = "@deco(hours=1)\ndef f(): return list(ALL)"
    write(tmp_path, {"db/__init__.py": "ALL = []", "db/x.py": f"from . import ALL\nALL.append(1)\n{job}"})
    plugins = open_plugins(find_plugins(tmp_path), lambda: DEFAULTS)
    assert call(plugins.catalog, "db.x.f") == [1]
    write(tmp_path, {"db/x.py": f"from . import ALL\nALL.append(2)\n{job}"})
    plugins.reload(10.0)
    plugins.reload(20.0)

    assert call(plugins.catalog, "db.x.f") == [2]


def test_classes_are_one_and_the_same_for_all_after_an_edit_of_any_file(tmp_path: Path) -> None:
    shape = "import enum, pickle\nclass Color(enum.Enum):\n    RED = 1\nclass Order: pass\n"
    maker = "from _shape import Color, Order, pickle\nMADE = [Order(), Color.RED]\n"
    job = "@deco(hours=1)\ndef f():\n    import _shape\n    o, c = pickle.loads(pickle.dumps(MADE))\n"
    job += "    return isinstance(o, Order), c is Color.RED, c is _shape.Color.RED, MADE[1] is _shape.Color.RED\n"
    user = "from maker import MADE, Color, Order, pickle\n"
    write(tmp_path, {"_shape.py": shape, "maker.py": maker + job, "user.py": user + job})
    plugins = open_plugins(find_plugins(tmp_path), lambda: DEFAULTS)
    edits = {"_shape.py": f"{shape}MORE = 1\n", "maker.py": f"{maker}MORE = 2\n{job}", "user.py": f"{user}N = 3\n{job}"}
    for number, (name, content) in enumerate(edits.items()):
        write(tmp_path, {name: content})
        plugins.reload(number * 20.0 + 10)
        plugins.reload(number * 20.0 + 20)

        assert plugins.catalog.problems == ()
        assert [call(plugins.catalog, f"{job}.f") for job in ("maker", "user")] == [(True,) * 4] * 2


def test_renamed_file_is_registered_under_its_new_name_only(tmp_path: Path) -> None:
    job = "@deco(hours=1)\ndef f(): return list(ALL)"
    write(tmp_path, {"_hub.py": "ALL = []", "x.py": f"from _hub import ALL\nALL.append(__name__)\n{job}"})
    plugins = open_plugins(find_plugins(tmp_path), lambda: DEFAULTS)
    (tmp_path / "plugins" / "x.py").rename(tmp_path / "plugins" / "y.py")
    for passed in (10.0, 13.0, 16.0):
        plugins.reload(passed)

    assert [binding.name for binding in plugins.catalog.bindings] == ["y.f"]
    assert call(plugins.catalog, "y.f") == ["plugins.y"]
