"""What people read, and what is stored, stays as it is: every command, message and row of one fixed history.

Where a change means another text, `python -m tests.golden.refresh` renews them, and their difference is for review.
"""

from __future__ import annotations

import pytest

from tests.golden.difference import difference
from tests.golden.refresh import TEXTS, produced, texts

#: Where many tests share few processors, one history takes its time.
pytestmark = [pytest.mark.thorough, pytest.mark.timeout(300)]
_NAMES = sorted(file.stem for file in TEXTS.glob("*.txt"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Live through the history once for all of them; where a text differs, twice more at most.

    The fake Slack is a real server: beside many other tests, two of its answers may come in another order, now in one
    text and now in another. A text that has changed differs each time.
    """
    kept, made = texts(TEXTS), produced(tmp_path_factory.mktemp("golden"))
    for _ in range(2):
        if made != kept:
            again = produced(tmp_path_factory.mktemp("golden"))
            made = {name: made[name] if made.get(name) == kept.get(name) else text for name, text in again.items()}
    return made


def test_every_text_that_is_made_is_kept(fresh: dict[str, str]) -> None:
    assert sorted(fresh) == _NAMES


@pytest.mark.parametrize("name", _NAMES)
def test_the_product_says_what_it_has_always_said(fresh: dict[str, str], name: str) -> None:
    assert difference(texts(TEXTS)[name], fresh.get(name, "")) == ""
