"""The way to a provider: whose certificates are trusted, what is shown to the server, and which proxy stands between, over real sockets."""

from __future__ import annotations

import ssl
import subprocess
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatMessage, ChatRequest, ProviderFault, StreamEnd
from desktop.domain.providers import Network
from desktop.domain.runs import RunState
from desktop.llm.openai_client import OpenAIClient
from desktop.llm.scripted_server import ScriptedServer, good_stream

KEY = "sk-canary-0123456789"
ASK = ChatRequest("m", (ChatMessage("user", "Hello."),))
FAR = "https://nowhere.invalid/v1"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an authority, a server's and a client's certificate of it, and things that look like some of these."""
    folder = tmp_path_factory.mktemp("papers")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key")
    for name in ("server", "client"):
        san = ("-addext", "subjectAltName=IP:127.0.0.1")
        openssl(
            "req", "-x509", *new, *signed, *san, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}"
        )
    both = (folder / "client.pem").read_text() + (folder / "client.key").read_text()
    (folder / "both.pem").write_text(both)
    openssl("ec", "-in", "client.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key")
    openssl("x509", "-in", "ca.pem", "-outform", "der", "-out", "ca.der")
    (folder / "words.pem").write_text("This is no certificate.\n")
    (folder / "torn.pem").write_text((folder / "ca.pem").read_text()[:200])
    (folder / "folder.pem").mkdir()
    return folder


def context_of(papers: Path, *, asks_client: bool = False) -> ssl.SSLContext:
    """Return what the server speaks TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers / "server.pem", papers / "server.key")
    if asks_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(papers / "ca.pem")
    return context


async def ask(base_url: str, network: Network) -> RunState:
    client = OpenAIClient(base_url=base_url, key=KEY, network=network, timeout_seconds=5)
    try:
        async with aclosing(client.stream(ASK)) as events:
            end = [event async for event in events][-1]
    finally:
        await client.aclose()
    assert isinstance(end, StreamEnd)
    return end.state


async def test_a_ca_file_is_trusted_beside_the_systems_own_by_request_and_test_alike(papers: Path) -> None:
    network = Network(ca_file=str(papers / "ca.pem"))
    with ScriptedServer(good_stream("ready"), tls=context_of(papers)) as server:
        with pytest.raises(ProviderFault) as caught:
            await ask(server.base_url, Network())
        assert (caught.value.code, caught.value.is_transient) == ("provider-certificate", False)
        assert server.requests == [], "nothing is said on a line that is not trusted"
        assert await ask(server.base_url, network) is RunState.COMPLETE
        client = OpenAIClient(base_url=server.base_url, key=KEY, network=network)
        async with aclosing(client.test("scripted")) as steps:
            assert all([step.ok async for step in steps])
        await client.aclose()


async def test_ssl_cert_file_still_names_what_is_trusted(papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(papers / "ca.pem"))
    with ScriptedServer(good_stream("ready"), tls=context_of(papers)) as server:
        assert await ask(server.base_url, Network()) is RunState.COMPLETE


async def test_an_ssl_cert_file_that_is_not_there_is_told(papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(papers / "gone.pem"))
    with ScriptedServer(tls=context_of(papers)) as server, pytest.raises(DeskError) as caught:
        await ask(server.base_url, Network())
    assert (caught.value.code, "SSL_CERT_FILE" in caught.value.message) == ("ca-file", True)


@pytest.mark.parametrize("files", [("client.pem", "client.key"), ("both.pem", "")])
async def test_a_client_certificate_is_shown_to_a_server_that_asks(papers: Path, files: tuple[str, str]) -> None:
    certificate, key = (str(papers / name) if name else "" for name in files)
    ca_file = str(papers / "ca.pem")
    with ScriptedServer(good_stream("ready"), tls=context_of(papers, asks_client=True)) as server:
        with pytest.raises(ProviderFault):
            await ask(server.base_url, Network(ca_file=ca_file))
        assert server.requests == []
        assert await ask(server.base_url, Network("", ca_file, certificate, key)) is RunState.COMPLETE


@pytest.mark.parametrize(
    ("field", "name", "code", "words"),
    [
        ("ca_file", "gone.pem", "ca-file", "is not there"),
        ("ca_file", "folder.pem", "ca-file", "is not there"),
        ("ca_file", "words.pem", "ca-file", "is no PEM file"),
        ("ca_file", "torn.pem", "ca-file", "holds a certificate that cannot be read"),
        ("ca_file", "ca.der", "ca-file", "is no PEM file"),
        ("ca_file", "client.key", "ca-file", "is no PEM file"),
        ("client_certificate", "gone.pem", "client-certificate", "is not there"),
        ("client_certificate", "words.pem", "client-certificate", "is no PEM file"),
        ("client_certificate", "client.pem", "client-certificate", "holds no private key"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_before_anything_is_sent(
    papers: Path, field: str, name: str, code: str, words: str
) -> None:
    with pytest.raises(DeskError) as caught:
        OpenAIClient(base_url=FAR, key=KEY, network=Network(**{field: str(papers / name)}))
    assert caught.value.code == code
    assert words in caught.value.message
    assert name in caught.value.message
    assert caught.value.message.count(".") == name.count(".") + 1 + str(papers).count("."), "one sentence"
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        ("client.pem", "server.key", "does not belong"),
        ("client.pem", "locked.key", "password"),
        ("client.pem", "gone.key", "is not there"),
        ("client.pem", "words.pem", "is no PEM file"),
        ("", "client.key", "without its certificate"),
    ],
)
def test_a_key_that_does_not_fit_is_told(papers: Path, certificate: str, key: str, words: str) -> None:
    network = Network("", "", str(papers / certificate) if certificate else "", str(papers / key))
    with pytest.raises(DeskError, match=words) as caught:
        OpenAIClient(base_url=FAR, key=KEY, network=network)
    assert caught.value.code == "client-certificate"


@pytest.mark.parametrize("network", [Network(), Network(proxy="{proxy}")])
async def test_a_proxy_is_asked_for_a_tunnel_and_never_told_the_key(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer() as proxy, ScriptedServer() as other:
        address = f"http://127.0.0.1:{proxy.port}"
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{other.port}" if network.proxy else address)
        with pytest.raises(ProviderFault) as caught:
            await ask(FAR, Network(proxy=network.proxy.format(proxy=address.removeprefix("http://"))))
        assert caught.value.code == "provider-connection"
        [request] = proxy.requests
        assert (request.method, request.path) == ("CONNECT", "nowhere.invalid:443")
        assert KEY not in str(request)
        assert other.requests == []


async def test_a_proxy_that_speaks_tls_is_judged_as_a_provider_is(papers: Path) -> None:
    with ScriptedServer(tls=context_of(papers)) as proxy:
        network = Network(proxy=f"https://127.0.0.1:{proxy.port}")
        with pytest.raises(ProviderFault):
            await ask(FAR, network)
        assert proxy.requests == []
        with pytest.raises(ProviderFault):
            await ask(FAR, replace(network, ca_file=str(papers / "ca.pem")))
        assert [request.method for request in proxy.requests] == ["CONNECT"]


async def test_a_direct_connection_passes_by_the_systems_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(ProviderFault) as caught:
            await ask(FAR, Network(proxy="none"))
        assert caught.value.code == "provider-name"
        assert proxy.requests == []


async def test_no_proxy_stands_between_here_and_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer() as proxy, ScriptedServer(good_stream("ready")) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert await ask(server.base_url, Network(proxy=f"http://127.0.0.1:{proxy.port}")) is RunState.COMPLETE
        assert proxy.requests == []


@pytest.mark.parametrize(
    "proxy",
    ["http://me:secret@proxy.example:3128", "me:secret@proxy", "socks5://proxy:1080", "http://", "http://a b", "x:0"],
)
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(proxy: str) -> None:
    for base_url in (FAR, "http://localhost:1234/v1"):
        with pytest.raises(DeskError) as caught:
            OpenAIClient(base_url=base_url, key=KEY, network=Network(proxy=proxy))
        assert caught.value.code == "proxy"
        assert "secret" not in str(caught.value)


def test_a_proxy_of_the_system_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://me:secret@proxy.example:1080")
    with pytest.raises(DeskError, match="socks5") as caught:
        OpenAIClient(base_url=FAR, key=KEY)
    assert caught.value.code == "proxy"
    assert "secret" not in str(caught.value)
    OpenAIClient(base_url=FAR, key=KEY, network=Network(proxy="none"))
