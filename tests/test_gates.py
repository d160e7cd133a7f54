"""Nothing goes around the gates of `corpus.text`: every place that prints, or that makes HTML or CSV, is looked at."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted([*(ROOT / "corpus").rglob("*.py"), *(ROOT / "engine").rglob("*.py")])
TO_TERMINAL = {"click.echo", "click.secho", "print", "console.print", "sys.stdout.write", "sys.stderr.write"}
GATES = {"for_terminal", "for_json", "for_html", "for_script", "as_csv", "clean", "len", "for_csv"}
NUMBERS = ("sounds", "audio_seconds", "analysed_in", "took")
HARMLESS = {
    "corpus/cli/app.py": {"drawn"},  # a table, every cell of which is `clean`
    "engine/cli/prompt.py": {"line"},  # of `lines_of`, which are escaped
    "engine/cli/sets.py": {"text"},  # lines of `for_json`
    "engine/cli/preflight.py": {"check.name", "wrong"},  # names of our checks
    "engine/cli/keys.py": {"prompt"},  # a constant of `teach`
    "engine/cli/demo.py": {"_SHOWN_CREDITS", *(f"data[{one!r}]" for one in NUMBERS)},
}
"""What is printed as it is, by module, and why that is safe."""


def calls(tree, names):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in names]


def ungated(node):
    """Expressions in an argument that pass no gate."""
    if isinstance(node, ast.Constant):
        return []
    if isinstance(node, ast.JoinedStr):
        return [one for part in node.values for one in ungated(part)]
    if isinstance(node, ast.FormattedValue):
        return ungated(node.value)
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in GATES:
        return []
    if isinstance(node, ast.IfExp):
        return ungated(node.body) + ungated(node.orelse)
    if isinstance(node, ast.BinOp):
        return ungated(node.left) + ungated(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join":
        return [one for argument in node.args for one in ungated(argument)]
    if isinstance(node, ast.GeneratorExp):
        return ungated(node.elt)
    return [ast.unparse(node)]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_printed_goes_through_a_gate(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    found = {one for call in calls(tree, TO_TERMINAL) for argument in call.args for one in ungated(argument)}
    known = HARMLESS.get(str(module.relative_to(ROOT)), set())
    assert found - known == set(), "let it go through corpus.text.for_terminal"
    assert known - found == set(), "no longer printed: take it from the list"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_who_writes_csv_or_html_takes_the_gate(module):
    text = module.read_text(encoding="utf-8")
    if "csv.writer(" in text or "csv.DictWriter(" in text:
        assert "for_csv" in text
    if "text/html" in text:
        assert "for_html" in text
    assert "html.escape" not in text, "one gate is enough"
