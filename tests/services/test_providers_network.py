"""Tests of how a provider is reached: its profile's certificates and proxy are what its requests go by, from the next one on."""

from __future__ import annotations

import os
import ssl
import subprocess
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.providers import KeyState, ProviderProfile, TestStep
from desktop.llm.scripted_server import ScriptedServer, good_stream
from desktop.services.container import Desk
from tests.services.conftest import opened_desk

PLACE = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *PLACE]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the certificate of a server, that of a client, and another one."""
    folder = tmp_path_factory.mktemp("pems")
    for name in ("server", "client", "other"):
        _certificate(folder, name)
    return folder


def _server_side(pems: Path, *, asks_for_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pems / "server.crt", pems / "server.key")
    # Else the refusal of a client is told only after it has sent its request.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if asks_for_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(pems / "client.crt")
    return context


async def _tested(desk: Desk, profile: ProviderProfile) -> TestStep:
    desk.providers.save(profile)
    async with aclosing(desk.providers.test(profile.name)) as steps:
        return [step async for step in steps][-1]


async def test_a_ca_file_is_trusted_for_its_provider_from_the_next_request_on(
    data_dir: Path, pems: Path, tmp_path: Path
) -> None:
    with ScriptedServer(good_stream("ready"), tls=_server_side(pems)) as server:
        mine = ProviderProfile("mine", "custom", server.base_url, model="scripted")
        async with opened_desk(data_dir, with_sample=False) as desk:
            assert (await _tested(desk, mine)).name == "certificate"
            # The same path, another file: what was learned of the old one counts no more.
            trusted = tmp_path / "trusted.pem"
            trusted.write_bytes((pems / "other.crt").read_bytes())
            with_file = replace(mine, ca_file=str(trusted))
            assert (await _tested(desk, with_file)).name == "certificate"
            trusted.write_bytes((pems / "server.crt").read_bytes())
            os.utime(trusted, (1, 1))
            step = await _tested(desk, with_file)
            assert (step.name, step.ok) == ("quota", True)
            # Another provider at the same address is not helped by it.
            assert (await _tested(desk, replace(mine, name="other"))).name == "certificate"
            trusted.unlink()
            step = [step async for step in desk.providers.test("mine")][-1]
            assert (step.name, step.ok, str(trusted) in step.detail) == ("certificate", False, True)


async def test_a_client_certificate_is_shown_to_a_server_that_asks_for_one(data_dir: Path, pems: Path) -> None:
    with ScriptedServer(good_stream("ready"), tls=_server_side(pems, asks_for_client=True)) as server:
        trusting = ProviderProfile(
            "mine", "custom", server.base_url, model="scripted", ca_file=str(pems / "server.crt")
        )
        async with opened_desk(data_dir, with_sample=False) as desk:
            assert not (await _tested(desk, trusting)).ok
            assert server.requests == []
            shown = replace(trusting, client_certificate=str(pems / "client.crt"), client_key=str(pems / "client.key"))
            step = await _tested(desk, shown)
            assert (step.name, step.ok) == ("quota", True)


@pytest.mark.parametrize(("choice", "used"), [("", "system"), ("own", "own"), ("none", "")])
async def test_the_proxy_is_the_systems_an_own_one_or_none(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, choice: str, used: str
) -> None:
    with ScriptedServer() as system, ScriptedServer() as own:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{system.port}")
        async with opened_desk(data_dir, with_sample=False) as desk:
            proxy = f"127.0.0.1:{own.port}" if choice == "own" else choice
            remote = ProviderProfile("remote", "custom", "https://llm.nowhere.invalid/v1", model="m", proxy=proxy)
            desk.providers.save(remote)
            await desk.providers.set_key("remote", "sk-of-this-test", allow_session=True)
            with pytest.raises(DeskError):
                await desk.providers.models("remote")
        asked = {name for name, server in (("system", system), ("own", own)) if server.requests}
        assert asked == ({used} if used else set())
        for server in (system, own):
            assert all("sk-of-this-test" not in str(request) for request in server.requests), "a proxy was told the key"


async def test_a_changed_host_does_not_carry_the_old_hosts_key(data_dir: Path) -> None:
    with ScriptedServer(good_stream("ready")) as first, ScriptedServer(good_stream("ready")) as second:
        async with opened_desk(data_dir, with_sample=False) as desk:
            profile = ProviderProfile("mine", "custom", first.base_url, model="scripted")
            desk.providers.save(profile)
            await desk.providers.set_key("mine", "sk-of-this-test", allow_session=True)
            await desk.providers.models("mine")
            moved = replace(profile, base_url=second.base_url.replace("127.0.0.1", "localhost"))
            desk.providers.save(moved)
            assert await desk.providers.key_state(moved) is not KeyState.SESSION
            await desk.providers.models("mine")
    assert first.requests[-1].headers.get("Authorization") == "Bearer sk-of-this-test"
    assert "sk-of-this-test" not in str(second.requests)
