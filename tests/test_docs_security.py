"""Every test that docs/security.md names for a promise exists."""

import ast
import re

import pytest

from tests.documents import ROOT

NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "docs" / "security.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "test"), sorted(set(NAMED)))
def test_a_test_that_is_named_exists(file, test):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert not test or test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_promise_has_one():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    promises = [
        line for line in text.splitlines() if line.startswith("|") and not re.match(r"\|[-|]+$|\| (from|to) ", line)
    ]
    assert len(promises) > 15
    assert all("::test_" in line for line in promises)
