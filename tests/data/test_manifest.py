"""The manifest: what a task says of its files is checked before anything is believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseat.core.errors import UserError
from unseat.data import load_manifest

GOOD = f"""
version = 1
task = "cache"
[[files]]
name = "a.xz"
sha256 = "{"0" * 64}"
bytes = 5
urls = ["https://example.org/a.xz"]
licence = "CC-BY-4.0"
source = "someone"
[files.details]
group = "g"
"""


UNSAFE = (
    "../a.xz",
    "a/../b",
    "/a.xz",
    "a//b",
    "a/",
    "",
    "./a",
    "a/.",
    "a/.b",
    "a\\\\b",
    "C:/a",
    "a\\n",
    "~/a",
    "a/b\\u0000",
)


def load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "data.toml"
    path.write_text(text)
    return load_manifest(path)


def test_a_manifest_is_read(tmp_path: Path) -> None:
    """Red: an entry loses what the task or the licence page needs, or a shipped file is looked for elsewhere."""
    text = GOOD + GOOD.split('task = "cache"')[1].replace("a.xz", "b.xz").replace(
        'urls = ["https://example.org/b.xz"]', 'embedded = "embedded/b.xz"'
    )
    path = tmp_path / "data.toml"
    path.write_text(text)
    manifest = load_manifest(path)
    entry = manifest.file("a.xz")
    assert (entry.task, entry.details, entry.shipped) == ("cache", {"group": "g"}, None)
    assert manifest.file("b.xz").shipped == tmp_path / "embedded/b.xz"
    with pytest.raises(UserError, match="no file c"):
        manifest.file("c")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"https://example.org/a.xz"', '"http://example.org/a.xz"', "files.0.urls.0"),
        ('"https://example.org/a.xz"', '"file:///etc/passwd"', "files.0.urls.0"),
        *(('"a.xz"', f'"{name}"', "files.0.name") for name in UNSAFE),
        ("bytes = 5", "bytes = 0", "files.0.bytes"),
        (f'"{"0" * 64}"', '"abc"', "files.0.sha256"),
        ('licence = "CC-BY-4.0"', "", "files.0.licence"),
        ("version = 1", "version = 2", "version"),
        ('source = "someone"', 'source = "someone"\nspelling = 1', "files.0.spelling"),
        ('urls = ["https://example.org/a.xz"]', "", "give either urls or embedded"),
        ("version = 1", "version = ", "not TOML"),
        (
            "[[files]]",
            "[[files]]\n" + GOOD.split("[[files]]")[1].replace("a.xz", "a.xz/b") + "\n[[files]]",
            "named as a file and as a folder: a.xz",
        ),
        ("[[files]]", "[[files]]\n" + GOOD.split("[[files]]")[1] + "\n[[files]]", "named twice: a.xz"),
    ],
)
def test_a_broken_manifest_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Red: a manifest passes that names an unsafe address or path, no licence, no true hash, or a file twice."""
    with pytest.raises(UserError, match=message) as error:
        load(tmp_path, GOOD.replace(old, new))
    assert str(tmp_path / "data.toml") in str(error.value)


def test_an_absent_manifest_is_named(tmp_path: Path) -> None:
    """Red: an installation without its manifest ends in a traceback."""
    with pytest.raises(UserError, match=r"nowhere\.toml"):
        load_manifest(tmp_path / "nowhere.toml")


def test_a_publisher_that_gives_only_md5(tmp_path: Path) -> None:
    """Red: a set without a published SHA-256 cannot be named, or someone invents one."""
    path = tmp_path / "data.toml"
    path.write_text(GOOD.replace(f'sha256 = "{"0" * 64}"', f'md5 = "{"1" * 32}"').replace("bytes = 5\n", ""))
    entry = load_manifest(path).files[0]
    assert (entry.hash, entry.hash_name, entry.bytes) == (("md5", "1" * 32), "MD5", None)


@pytest.mark.parametrize("new", ["", f'sha256 = "{"0" * 64}"\nmd5 = "{"1" * 32}"'])
def test_a_file_has_one_hash(tmp_path: Path, new: str) -> None:
    """Red: a file is taken unchecked, or one of two hashes is silently ignored."""
    with pytest.raises(UserError, match="give its sha256"):
        load(tmp_path, GOOD.replace(f'sha256 = "{"0" * 64}"', new))


def test_a_file_may_lie_in_folders(tmp_path: Path) -> None:
    """Red: sets whose files differ only by folder cannot be named."""
    path = tmp_path / "data.toml"
    path.write_text(GOOD.replace('name = "a.xz"', 'name = "set/2g/a_1.xz"'))
    assert load_manifest(path).file("set/2g/a_1.xz").task == "cache"
