"""Cards: a file that is not one is refused, with its path and the field."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseat import Card
from unseat.core.errors import ContractError

GOOD = """
id = "spin"
version = 3
title = "t"
system = "s"
problem = "p"
summary = "u"
measured = "m"
repeatability = "exact"
min_headroom = 0.01
"""


def _read(tmp_path: Path, text: str) -> Card:
    path = tmp_path / "card.toml"
    path.write_text(text)
    return Card.read(path)


def test_card_is_read(tmp_path: Path) -> None:
    """Red: a card that holds what it must is not read."""
    card = _read(tmp_path, GOOD)
    assert (card.full_id, card.min_headroom, card.papers) == ("spin-v3", 0.01, [])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("id = ", "name = "), "id"),
        (('"exact"', '"mostly"'), "repeatability"),
        (("0.01", "-1"), "min_headroom"),
        (("version = 3", "version = -3"), "version"),
        (("version = 3", 'version = "three"'), "version"),
        (('title = "t"', 'title = "t"\ncolour = "red"'), "colour"),
        (('title = "t"', "title = "), "card.toml"),
        (('measured = "m"', 'measured = "m"\npapers = [{ title = "x" }]'), "authors"),
    ],
)
def test_bad_card_names_file_and_field(tmp_path: Path, change: tuple[str, str], field: str) -> None:
    """Red: a card with a field that is missing, unknown or of another kind passes, or nobody is told where."""
    with pytest.raises(ContractError, match=field) as raised:
        _read(tmp_path, GOOD.replace(*change))
    assert "card.toml" in str(raised.value)


def test_card_of_another_encoding_is_named(tmp_path: Path) -> None:
    """Red: a card that is no UTF-8 ends in a traceback, or one that is hangs on this machine's locale."""
    assert _read(tmp_path, GOOD.replace('title = "t"', 'title = "größer"')).title == "größer"
    path = tmp_path / "latin.toml"
    path.write_bytes(GOOD.replace('title = "t"', 'title = "größer"').encode("latin-1"))
    with pytest.raises(ContractError, match=r"latin.toml: not a valid card"):
        Card.read(path)


def test_missing_card_is_named(tmp_path: Path) -> None:
    """Red: a task without its card ends in a traceback of the file system."""
    with pytest.raises(ContractError, match="absent"):
        Card.read(tmp_path / "absent.toml")
