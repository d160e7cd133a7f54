"""The corpus's commands, by name; each is a module that loads when it is called."""

COMMANDS = {
    "status": "corpus.cli.status:status",
    "adopt": "corpus.cli.adopt:adopt",
    "refresh": "corpus.cli.refresh:refresh",
    "forget": "corpus.cli.forget:forget",
    "analyse": "corpus.cli.analyse:analyse",
    "agreement": "corpus.cli.agreement:agreement",
    "show": "corpus.cli.show:show",
    "check": "corpus.cli.check:check",
    "backup": "corpus.cli.backup:backup",
    "restore": "corpus.cli.restore:restore",
    "credits": "corpus.cli.credits:credits",
}
