"""Tests of what is refused when a provider is saved: each in one sentence that says what to do, and nothing of a password in it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN, ProviderProfile
from desktop.services.container import Desk
from tests.services.conftest import opened_desk

WORK = ProviderProfile("work", "custom", "https://llm.example.com/v1", model="m")
PASSWORD = "pw-6b1f0e"


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a certificate and its key, another key, a key that is locked, and files that are neither."""
    folder = tmp_path_factory.mktemp("pems")
    for name in ("mine", "other"):
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                 "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt"))  # fmt: skip
    _openssl(
        "pkcs8", "-topk8", "-in", str(folder / "mine.key"), "-out", str(folder / "locked.key"), "-passout", "pass:x"
    )
    (folder / "both.pem").write_bytes((folder / "mine.crt").read_bytes() + (folder / "mine.key").read_bytes())
    (folder / "words.txt").write_text("not a certificate")
    (folder / "cut.crt").write_text((folder / "mine.crt").read_text()[:200] + "\n-----END CERTIFICATE-----\n")
    with (folder / "huge.crt").open("wb") as file:
        file.truncate(50_000_000)
    return folder


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@asynccontextmanager
async def _desk(data_dir: Path) -> AsyncIterator[Desk]:
    async with opened_desk(data_dir, with_sample=False) as desk:
        yield desk


def _refusal(desk: Desk, profile: ProviderProfile) -> str:
    before = desk.settings.get("providers")
    with pytest.raises(DeskError) as caught:
        desk.providers.save(profile)
    assert desk.settings.get("providers") == before, "what was refused was stored"
    assert caught.value.remedy
    return str(caught.value)


@pytest.mark.parametrize(
    ("entered", "stored"),
    [
        ("", ""),
        (" None ", "none"),
        ("proxy.example.com:8080", "http://proxy.example.com:8080"),
        ("HTTPS://Proxy.Example.com:8443/", "https://proxy.example.com:8443"),
        ("http://[::1]:3128", "http://[::1]:3128"),
    ],
)
async def test_a_proxy_is_stored_in_one_form(data_dir: Path, entered: str, stored: str) -> None:
    async with _desk(data_dir) as desk:
        assert desk.providers.save(replace(WORK, proxy=entered)).proxy == stored


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        (f"http://me:{PASSWORD}@proxy.example.com:8080", "stored unprotected"),
        (f"me:{PASSWORD}@proxy.example.com", "stored unprotected"),
        (f"{PASSWORD}@proxy.example.com", "stored unprotected"),
        ("socks5://proxy.example.com:1080", "SOCKS"),
        ("ftp://proxy.example.com", "after http:// or https://"),
        ("http://", "must name a host"),
        ("http://proxy.example.com:99999", "cannot be read"),
        ("http://proxy.example.com/path", "goes on after"),
        ("http://proxy example.com", "space"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_refused_without_repeating_it(
    data_dir: Path, entered: str, words: str
) -> None:
    async with _desk(data_dir) as desk:
        said = _refusal(desk, replace(WORK, proxy=entered))
        assert words in said
        assert PASSWORD not in said
    stored = data_dir / "settings.json"
    assert not stored.exists() or PASSWORD not in stored.read_text()


async def test_files_are_read_when_they_are_chosen(data_dir: Path, pems: Path) -> None:
    def at(name: str) -> str:
        return str(pems / name)

    async with _desk(data_dir) as desk:
        for field, name, words in (
            ("ca_file", "gone.crt", "is not there"),
            ("ca_file", "", "is not there"),
            ("ca_file", "words.txt", "is no PEM file"),
            ("ca_file", "mine.key", "is no PEM file"),
            ("ca_file", "cut.crt", "cannot be read"),
            ("ca_file", "huge.crt", "far too large"),
            ("client_certificate", "mine.crt", "holds no private key"),
            ("client_key", "mine.key", "a client key without its certificate"),
        ):
            assert words in _refusal(desk, replace(WORK, **{field: at(name)})), (field, name)
        for key, words in (
            ("other.key", "does not belong to the client certificate"),
            ("locked.key", "is locked with a password"),
            ("mine.crt", "is no PEM file"),
            ("gone.key", "is not there"),
        ):
            said = _refusal(desk, replace(WORK, client_certificate=at("mine.crt"), client_key=at(key)))
            assert words in said, key
            assert at(key) in said
        for certificate, key in (("mine.crt", at("mine.key")), ("both.pem", "")):
            profile = replace(WORK, ca_file=at("mine.crt"), client_certificate=at(certificate), client_key=key)
            assert desk.providers.save(profile) == profile


async def test_a_stand_in_must_be_there_and_lead_nowhere_back(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        assert "no provider named “nobody” to stand in for “work”" in _refusal(desk, replace(WORK, fallback="nobody"))
        assert "it is the same one" in _refusal(desk, replace(WORK, fallback="work"))
        for name, fallback in (("a", BUILT_IN), ("b", "a"), ("c", "b")):
            desk.providers.save(replace(WORK, name=name, fallback=fallback))
        assert "“a” stands in for “b” already" in _refusal(desk, replace(WORK, name="a", fallback="c"))
        built_in = replace(desk.providers.profile(BUILT_IN), fallback="c")
        assert "“built-in” stands in for “a” already" in _refusal(desk, built_in)
        # What stood in is gone: whatever else is changed then is none of its business, and put back it stands in again.
        removed = await desk.providers.remove("b")
        desk.providers.save(replace(desk.providers.profile("c"), model="other"))
        desk.providers.save(removed)
        assert [name for name, _ in desk.providers.route("summarize", "c")] == ["c", "b", "a", BUILT_IN]


async def test_redaction_follows_the_host_unless_it_is_chosen(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        assert "Redaction cannot be “maybe”" in _refusal(desk, replace(WORK, redaction="maybe"))
        here = replace(WORK, name="here", base_url="http://127.0.0.1:1/v1")
        expected = {"": (True, False), "on": (True, True), "off": (False, False)}
        for choice, (remote, local) in expected.items():
            for profile, wanted in ((WORK, remote), (here, local)):
                desk.providers.save(replace(profile, redaction=choice))
                status = next(s for s in await desk.providers.list() if s.profile.name == profile.name)
                assert status.is_redacted is wanted, (choice, profile.name)
        # What a later version may write is no reason to send more than before.
        stored = json.loads((data_dir / "settings.json").read_text())["providers"]
        desk.settings.set("providers", [{**values, "redaction": "strict"} for values in stored])
        assert desk.providers.is_redacted(desk.providers.profile("work"))


async def test_the_built_in_model_keeps_nothing_of_a_network(data_dir: Path) -> None:
    async with _desk(data_dir) as desk:
        saved = desk.providers.save(
            ProviderProfile(BUILT_IN, BUILT_IN, "", proxy="http://proxy.example.com", ca_file="/gone")
        )
        assert saved == ProviderProfile(BUILT_IN, BUILT_IN, "")
