"""A person's own cluster: what is contradictory or absurd is refused in one line."""

from __future__ import annotations

import pytest

from unseat.core.errors import UserError
from unseat.tasks.schedule.options import parsed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"executors": "9" * 5000}, "--executors: '9999999999999999999999999999999999999999...' is no number"),
        ({"executors": "x" * 5000}, "--executors: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is no number"),
        ({"executors": "9" * 10}, "--executors: '9999999999' is no number"),
        ({"executors": "9" * 9}, "--executors: 999999999 executors; give each class at least 1, and 10,000"),
        ({"executors": ",".join(["7"] * 5000)}, "names one number twice"),
        ({"memory": "9" * 5000 + ":1"}, "--memory: '9999999999999999999999999999999999999999...' is no number"),
        ({"memory": "3:" + "9" * 5000}, "--memory: memory of the classes is given as shares"),
        ({"memory": "3:" + "x" * 5000}, "--memory: '3:xxxx"),
        ({"executors": "7", "memory": "3:1"}, "--executors beside --memory"),
        ({"executors": "50", "memory": "3:1"}, "--executors beside --memory"),  # the default, but it was asked for
    ],
)
def test_wrong_options_are_refused(options: dict[str, str], message: str) -> None:
    """Red: a number of thousands of digits ends in a traceback, one of two options is ignored, or the line is long."""
    with pytest.raises(UserError) as caught:
        parsed(options)
    said = str(caught.value)
    assert message in said and "\n" not in said and len(said) < 200
