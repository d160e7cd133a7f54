"""The table of verbs in docs/live.md, made from the one in code: `python -m tests.verbs_table` brings it up to date."""

from engine.group import Group
from engine.performing.verbs import verbs_of
from engine.session import Session
from tests.documents import ROOT

LIVE = ROOT / "docs" / "live.md"
BEGIN, END = "<!-- verbs: made by `python -m tests.verbs_table` -->", "<!-- end of verbs -->"


def table():
    """Markdown: what can be said to a group, and to the session."""
    lines = []
    for kind, speaker in ((Group, "a group"), (Session, "the session, `s`")):
        lines += ["", f"| to {speaker} | what it does |", "|---|---|"]
        for verb in verbs_of(kind).values():
            lines.append(f"| `{_escaped(verb.usage)}`{_mark(verb)} | {_escaped(verb.about)} |")
    return "\n".join([*lines, ""])


def in_document():
    """What the document has."""
    return LIVE.read_text().partition(BEGIN)[2].partition(END)[0]


def _mark(verb):
    return {"handled": " →handle", "answered": " →answer", "immediate": " now"}.get(verb.manner, "")


def _escaped(text):
    return text.replace("|", "\\|")


if __name__ == "__main__":
    before, _, rest = LIVE.read_text().partition(BEGIN)
    LIVE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}")
