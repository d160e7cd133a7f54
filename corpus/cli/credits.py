"""`mirla credits`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command

if TYPE_CHECKING:
    from corpus.library import Corpus

_AGO = re.compile(r"([0-9]{1,6})(s|min|h|d)")
_UNITS = {"s": "SECOND", "min": "MINUTE", "h": "HOUR", "d": "DAY"}


def _since(_context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """A moment as ISO 8601 in UTC: a date, `NOW-1DAY`, or so long ago: `2h`."""
    if text is None:
        return None
    from corpus.moments import Moment

    ago = _AGO.fullmatch(text.strip())
    try:
        moment = Moment(f"NOW-{ago[1]}{_UNITS[ago[2]]}" if ago else text.strip())
    except ValueError as error:
        raise click.BadParameter(
            f"{error}; write 2h (s, min, h or d), 2026-01-31, 2026-01-31T20:00Z or NOW-1DAY", param=parameter
        ) from error
    return moment.span(datetime.now(UTC))[0]


@command()
@click.argument("ids", nargs=-1, type=int, metavar="[IDS]...")
@click.option("--played", is_flag=True, help="What was played, in performances; each sound once.")
@click.option("--since", metavar="T", callback=_since, help="Only what was played since then: 2h, NOW-1DAY, a date.")
@click.option("--palette", metavar="NAME", help="The sounds of this palette, with what was changed in them.")
@click.option("--use", type=click.Choice(["commercial"]), help="Flag sounds whose licence forbids this.")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
def credits(
    app: App,
    ids: tuple[int, ...],
    played: bool,
    since: str | None,
    palette: str | None,
    use: str | None,
    form: str,
) -> None:
    """Whose sounds these are: one line a sound. Without IDS, all sounds whose audio is here.

    With --palette and --played: those of the palette that were played. CSV and JSON say of what was played how many times,
    for how many seconds, and how many it was heard: not muted, nor at volume 0 or rate 0, nor without a device.
    A sound that played unheard is credited too.

    \b
    Example:
      mirla credits 4832 100067
      mirla credits --played --since 2h
      mirla credits --palette tablas --use commercial
      mirla credits --format csv > credits.csv
    """
    from corpus.credits import PERMITTED, as_csv, as_text, commercial
    from corpus.text import for_json, for_terminal

    if since is not None and not played:
        raise click.UsageError("--since is about what was played; give --played too")
    if ids and (played or palette is not None):
        raise click.UsageError("IDS are credited as they are; leave them out, or --played and --palette")
    found = _credits(app.corpus(), ids, played, since, palette)
    if use:
        found = [credit | {PERMITTED: commercial(credit)} for credit in found]
        if forbidden := sum(not credit[PERMITTED] for credit in found):
            app.warn(f"{forbidden} of {len(found)} sounds are not licensed for commercial use")
    if app.json or form == "json":
        click.echo(for_json({"credits": found}))
    elif form == "csv":
        click.echo(as_csv(found), nl=False)
    else:
        click.echo("".join(for_terminal(line) + "\n" for line in as_text(found).splitlines()), nl=False)


def _credits(
    corpus: Corpus, ids: tuple[int, ...], played: bool, since: str | None, palette: str | None
) -> list[dict[str, Any]]:
    from corpus.credits import of_plays

    heard = of_plays(corpus.performances.plays(since)) if played else []
    if palette is None:
        if played:
            return heard
        sounds = corpus.sounds.many(ids or corpus.sounds.ids(with_audio=True).tolist())
        return [sound.credited for sound in sounds]
    found = corpus.palettes.get(palette)
    if found is None:
        raise click.UsageError(f"no palette {palette!r}; `mirla palette list` shows them")
    known = {sound.id: sound.credit for sound in found.sounds}
    if not played:
        return list(known.values())
    return [credit | known[credit["id"]] for credit in heard if credit["id"] in known]
