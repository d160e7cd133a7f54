"""The page at `/`: what is served here, and the line that points each client to it."""

from __future__ import annotations

from corpus import __version__
from corpus.text import for_html
from engine.server.freesound.call import Call
from engine.server.freesound.spaces import names
from engine.server.security import is_loopback

SOURCE = "https://pypi.org/project/mirla/"
"""Where the source can be had (AGPL, section 13)."""

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A local Freesound</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:3rem auto;padding:0 1rem}}
pre{{background:#f3f3f3;padding:.6rem;overflow-x:auto}}
@media(prefers-color-scheme:dark){{body{{background:#111;color:#ddd}}pre{{background:#222}}a{{color:#8cf}}}}</style>
</head><body>
<h1>A local Freesound</h1>
<p>{sounds} sounds of a mirla corpus, {audio} with audio, under the form of Freesound's API. {agents}</p>
<p>Try <a href="/apiv2/search/">/apiv2/search/</a>,
<a href="/apiv2/search/?query=drum&amp;fields=id,name,previews">words</a>,
<a href="/apiv2/search/?filter=duration:%5B0%20TO%201%5D&amp;sort=duration_asc">a filter</a>.
Similarity spaces: {spaces}. <code>agent=NAME</code> and <code>strict=0.8</code> filter any list.</p>
<h2>To point a client here</h2>
{clients}
<p>{token}</p>
{source}
</body></html>
"""
_SOURCE = (
    "<p>mirla {version} is free software (AGPL-3.0-only). "
    'Its source can be had at <a href="{address}">{address}</a>.</p>'
)
_CLIENTS = (
    ("SuperCollider: Freesound.sc; for MIRLC and MIRLCa serve with --legacy", 'Freesound.uris[\\BASE] = "{base}";'),
    ("Python: freesound-python, freesound-api", 'import freesound; freesound.URIS.BASE = "{base}"'),
    ("JavaScript: freesound.js, whose address is fixed: change the one line", 'var uris = {{ base: "{base}", …'),
    ("C++: freesound-juce", 'URIS::BASE = "{base}";'),
    ("mirla, on this or another machine", "MIRLA_FREESOUND_URL={base} mirla harvest …"),
)


def page(call: Call) -> str:
    """The page, as HTML."""
    status, options = call.corpus.status(), call.served.options
    agents = [for_html(name) for name in status["agents"]]
    source = _SOURCE.format(version=__version__, address=SOURCE)
    lines = (f"<h3>{for_html(name)}</h3><pre>{for_html(line.format(base=call.base))}</pre>" for name, line in _CLIENTS)
    return _PAGE.format(
        sounds=status["sounds"],
        audio=status["with_audio"],
        agents=f"Agents: {', '.join(agents)}." if agents else "No agent was taught yet.",
        spaces=", ".join(map(for_html, names())),
        clients="\n".join(lines),
        token="Show the token that the server was started with." if options.token else "Any token will do.",
        source="" if is_loopback(options.host) else source,
    )
