"""`tldesk providers`: who writes the summaries, how each is reached, and what is taken out of what is sent there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from desktop.cli.main import NEGATIVE
from desktop.cli.output import print_json, print_table, say
from desktop.cli.provider_choices import choose_models, lock, show_price
from desktop.cli.session import Session, common_options, json_option
from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN, ProviderProfile, ProviderStatus, TestStep

if TYPE_CHECKING:
    from desktop.services.container import Desk

base_url_option = click.option("--base-url", metavar="URL", help="Where it is reached; usually ends in /v1.")
model_option = click.option("--model", metavar="NAME", help="The model that writes.")
model_file_option = click.option(
    "--model-file", metavar="FILE", help="A GGUF file for the built-in model; '' for its own."
)
_NETWORK = (
    ("--fallback", "NAME", "Who is asked when this one does not answer; '' for nobody."),
    (
        "--redaction",
        "on|off|default",
        "Take personal data out before sending; by default on, unless it is on this machine.",
    ),
    ("--proxy", "URL", "An own proxy, without a password; 'none' for a direct connection, 'system' for the system's."),
    ("--ca-file", "FILE", "A PEM file to trust beside the system's certificates; '' for none."),
    ("--client-certificate", "FILE", "A PEM file that is shown to the server; '' for none."),
    ("--client-key", "FILE", "Its key, where that is a file of its own; '' for none."),
    ("--silence-seconds", "N", "How long it may say nothing; '' for 60, on this machine 300."),
    ("--deadline-seconds", "N", "How long a whole answer may take, tries and waits included; '' for 600."),
)
_DEFAULTS = {"proxy": "system", "redaction": "default"}
"""What these two are called where their value is ''."""

default_option = click.option("--default", "make_default", is_flag=True, help="Use it where no other is named.")


def network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of network and privacy, and what was given of them as `network`, as a profile has them."""

    @wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        names = [option.lstrip("-").replace("-", "_") for option, _, _ in _NETWORK]
        given = {name: value for name in names if (value := options.pop(name)) is not None}
        network = {name: "" if value == _DEFAULTS.get(name) else value for name, value in given.items()}
        return command(*arguments, network=network, **options)

    for option, metavar, words in reversed(_NETWORK):
        wrapped = click.option(option, metavar=metavar, help=words)(wrapped)
    return wrapped


@click.group("providers")
def providers_command() -> None:
    """List, add, change, remove and test providers; say who does what, at which price, and whether anything may leave this machine."""


@providers_command.command("list")
@json_option
@common_options
def list_providers(session: Session, as_json: bool) -> None:
    """List all providers; of a key it says only where it is."""
    statuses = session.run(lambda desk: desk.providers.list())
    if as_json:
        print_json({"providers": [_status_fields(status) for status in statuses]})
        return
    rows = [
        (
            "*" if s.is_default else "",
            s.profile.name,
            s.profile.kind,
            s.profile.model,
            s.profile.base_url,
            s.key.value,
            "on" if s.is_redacted else "off",
            s.profile.fallback,
        )
        for s in statuses
    ]
    print_table(("", "Name", "Kind", "Model", "Base URL", "Key", "Redaction", "Fallback"), rows)
    for reason in dict.fromkeys(s.locked_reason for s in statuses if s.locked_reason):
        say(reason)


@providers_command.command("add")
@click.argument("name")
@click.option(
    "--kind",
    default="custom",
    show_default=True,
    help="A preset: openai, azure, ollama, lm-studio, vllm, openrouter, custom.",
)
@base_url_option
@model_option
@network_options
@default_option
@json_option
@common_options
def add_provider(
    session: Session,
    name: str,
    kind: str,
    base_url: str | None,
    model: str | None,
    network: dict[str, str],
    make_default: bool,
    as_json: bool,
) -> None:
    """Add a provider under a name of your choice."""

    async def work(desk: Desk) -> ProviderStatus:
        if any(profile.name == name for profile in desk.providers.profiles()):
            raise DeskError(
                "provider-exists",
                f"There is a provider named “{name}” already.",
                remedy=f"Change it with: tldesk providers set {name}",
            )
        preset = next((preset for preset in desk.providers.presets if preset.kind == kind), None)
        address = base_url if base_url is not None else preset.base_url if preset else ""
        profile = ProviderProfile(name, kind, address, model or "", **network)
        desk.providers.save(profile, make_default=make_default)
        return await _status(desk, name)

    _show_saved(session.run(work), as_json=as_json)


@providers_command.command("set")
@click.argument("name")
@click.option("--kind", help="Another preset.")
@base_url_option
@model_option
@model_file_option
@network_options
@default_option
@json_option
@common_options
def set_provider(
    session: Session,
    name: str,
    kind: str | None,
    base_url: str | None,
    model: str | None,
    model_file: str | None,
    network: dict[str, str],
    make_default: bool,
    as_json: bool,
) -> None:
    """Change a provider: what is not named stays as it is."""
    model_path = str(Path(model_file).absolute()) if model_file else model_file
    given = {"kind": kind, "base_url": base_url, "model": model, "model_path": model_path, **network}
    changes = {key: value for key, value in given.items() if value is not None}

    async def work(desk: Desk) -> ProviderStatus:
        if changes:
            desk.providers.save(replace(desk.providers.profile(name), **changes))
        if make_default:
            desk.providers.set_default(name)
        return await _status(desk, name)

    _show_saved(session.run(work), as_json=as_json)


@providers_command.command("remove")
@click.argument("name")
@json_option
@common_options
def remove_provider(session: Session, name: str, as_json: bool) -> None:
    """Remove a provider and its key."""
    profile = session.run(lambda desk: desk.providers.remove(name))
    if as_json:
        print_json({"provider": profile.name, "removed": True})
    else:
        say(f"{profile.name} is removed, and its key if it had one.")


@providers_command.command("models")
@click.argument("name")
@json_option
@common_options
def list_models(session: Session, name: str, as_json: bool) -> None:
    """Fetch the list of models that a provider offers."""
    models = session.run(lambda desk: desk.providers.models(name))
    if as_json:
        print_json({"provider": name, "models": list(models)})
    else:
        say("\n".join(models) or f"{name} offers no models.")


@providers_command.command("test")
@click.argument("name")
@model_option
@json_option
@common_options
def check_provider(session: Session, name: str, model: str | None, as_json: bool) -> int:
    """Try a provider step by step and say which one failed: name, connection, certificate, key, model, quota."""

    async def work(desk: Desk) -> list[TestStep]:
        desk.providers.profile(name)
        steps = []
        async for step in desk.providers.test(name, model=model or ""):
            steps.append(step)
            if not as_json:
                say(f"{'ok  ' if step.ok else 'FAIL'}  {step.name}: {step.detail}")
        return steps

    steps = session.run(work)
    is_ok = bool(steps) and all(step.ok for step in steps)
    if as_json:
        print_json({"provider": name, "ok": is_ok, "steps": [asdict(step) for step in steps]})
    elif not is_ok and steps:
        say(f"      → {steps[-1].remedy}")
    return 0 if is_ok else NEGATIVE


async def _status(desk: Desk, name: str) -> ProviderStatus:
    return next(status for status in await desk.providers.list() if status.profile.name == name)


def _status_fields(status: ProviderStatus) -> dict[str, Any]:
    profile = status.profile
    return {
        "name": profile.name,
        "kind": profile.kind,
        "base_url": profile.base_url,
        "model": profile.model,
        "default": status.is_default,
        "key": status.key.value,
        "local": status.is_local,
        "locked": bool(status.locked_reason),
        "redacted": status.is_redacted,
        **{name: getattr(profile, name) for name in ("redaction", "fallback", "proxy", "ca_file")},
        **{name: getattr(profile, name) for name in ("client_certificate", "client_key")},
        **{name: int(getattr(profile, name) or 0) or None for name in ("silence_seconds", "deadline_seconds")},
        **({"model_file": profile.model_path} if profile.name == BUILT_IN and profile.model_path else {}),
    }


def _show_saved(status: ProviderStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(_status_fields(status))
        return
    profile = status.profile
    say(
        f"{profile.name} is set up{f': {profile.base_url}' if profile.base_url else ''}{f', {profile.model}' if profile.model else ''}."
    )
    if not status.is_local and status.key.value in ("none", "unavailable"):
        say(f"It has no key yet. Enter it with: tldesk keys set {profile.name}")
    if status.locked_reason:
        say(f"{status.locked_reason} Allow it again with: tldesk providers local-only off")
    say(f"Try it with: tldesk providers test {profile.name}")


for _command in (choose_models, show_price, lock):
    providers_command.add_command(_command)
