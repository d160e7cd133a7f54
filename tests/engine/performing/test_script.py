"""Scripts: statement by statement, and what goes wrong in one is one line."""

import pytest

from corpus.errors import UnknownSound
from engine.errors import SetError
from engine.group import Group
from engine.performing.script import Script, in_a_line, names
from engine.performing.verbs import verbs_of


def run(text, **names):
    shown, failed = [], []
    names = dict(names)
    Script.parse("set.py", text).run(names, shown.append, lambda words, error: failed.append(words))
    return names, shown, failed


def test_statements_share_their_names_and_show_their_values():
    names, shown, failed = run("x = 1\nx + 1\nfor n in range(3):\n    x += n\nx\ndef f(): return x\nf()\nNone\n")
    assert (names["x"], shown, failed) == (4, [2, 4, 4], [])


def test_an_error_is_one_line_and_the_script_goes_on():
    text = """x = 1
1 / 0
def deep():
    return [][x]

deep()
for n in range(3):
    if n == 1:
        raise ValueError("two\\nlines")
oops.play()
x = 2
"""
    names, _, failed = run(text)
    assert failed == [
        "set.py, line 2: ZeroDivisionError: division by zero",
        "set.py, line 4: IndexError: list index out of range",
        "set.py, line 9: ValueError: two lines",
        "set.py, line 10: no name 'oops' here; oops = group(\"oops\") makes a group of it, if it is not misspelt",
    ]
    assert names["x"] == 2


def test_exit_ends_the_script():
    names, _, failed = run("x = 1\nexit()\nx = 2\n")
    assert (names["x"], failed) == (1, [])


def test_what_ends_the_time_is_no_error_of_the_script():
    class Over(BaseException):
        pass

    def wait():
        raise Over

    with pytest.raises(Over):
        run("wait()\n", wait=wait)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\nx = = 2\n", "set.py, line 2: invalid syntax: x = = 2; mend it, nothing was played"),
        ("x = 1\nreturn x\n", "set.py, line 2: 'return' outside function; mend it, nothing was played"),
        ("x = (1,\n", "set.py, line 1: '(' was never closed: x = (1,; mend it, nothing was played"),
        ("if x:\ny\n", "set.py, line 2: expected an indented block after 'if' statement on line 1: y; mend it"),
        ("x = '\0'\n", "set.py: .*null bytes; mend it, nothing was played"),
        ("(" * 500 + ")" * 500, "set.py.*too many nested parentheses"),
    ],
)
def test_what_is_no_python_is_said_before_anything_plays(text, words):
    with pytest.raises(SetError, match=words.replace("(", r"\(")) as caught:
        Script.parse("set.py", text)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(SetError, match=r"none\.py cannot be read: No such file"):
        Script.read(tmp_path / "none.py")
    with pytest.raises(SetError, match="cannot be read: Is a directory"):
        Script.read(tmp_path)
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")
    with pytest.raises(SetError, match="is no text in UTF-8"):
        Script.read(tmp_path / "latin.py")


def test_errors_in_a_line():
    assert in_a_line(UnknownSound("no sound 7")) == "no sound 7"
    assert in_a_line(KeyboardInterrupt()) == "KeyboardInterrupt"
    with pytest.raises(AttributeError) as caught:
        object.__new__(Group).similr()
    assert in_a_line(caught.value) == "no verb 'similr'; did you mean similar, similarauto, filter?"
    with pytest.raises(AttributeError) as caught:
        object.__new__(Group).xyzzy()
    assert in_a_line(caught.value) == f"no verb 'xyzzy'; Tab lists the {len(verbs_of(Group))} there are"


def test_panic_and_stop_are_names():
    class Stage:
        group, wait, panic, stop = "group", "wait", "panic", "stop"

    found = names(Stage())
    assert {name: found[name] for name in ("group", "wait", "panic", "stop")} == {
        name: name for name in ("group", "wait", "panic", "stop")
    }
