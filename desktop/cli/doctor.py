"""`tldesk doctor`: is everything in order?"""

from __future__ import annotations

from dataclasses import asdict

import click

from desktop.cli.main import NEGATIVE
from desktop.cli.output import print_json, say
from desktop.cli.session import Session, common_options, json_option


@click.command("doctor")
@json_option
@common_options
def doctor_command(session: Session, as_json: bool) -> int:
    """Check the installation, and say what to do where something is wrong."""
    checks = session.examine()
    if as_json:
        print_json({"checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            say(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}")
            if check.remedy:
                say(f"      → {check.remedy}")
    return 0 if all(check.ok for check in checks) else NEGATIVE
