"""`mirla agent`: keeping agents and their labels, and what they learn."""

from __future__ import annotations

import click

from engine.cli.agent import exchange, keeping, labelling, learning, people, teach


@click.group()
def agent() -> None:
    """Teach agents your taste by examples, and let them judge.

    \b
    Example:
      mirla agent new water --about "wet, flowing sounds"
      mirla agent label water --good 4832 100067
      mirla agent label water --bad 13147 75338
      mirla agent train water
    """


for _module in (keeping, labelling, learning, people, exchange, teach):
    for _command in _module.COMMANDS:
        agent.add_command(_command)
