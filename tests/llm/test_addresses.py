"""Addresses: what makes a base URL safe to send a key to, and which proxy stands between."""

from __future__ import annotations

import pytest

from desktop.domain.errors import DeskError
from desktop.llm.network import proxy_for, proxy_host
from desktop.llm.presets import PRESETS, host_of, is_loopback, normalize_base_url


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" https://api.openai.com/v1/ ", "https://api.openai.com/v1"),
        ("api.openai.com/v1", "https://api.openai.com/v1"),
        ("localhost:11434/v1", "http://localhost:11434/v1"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("https://gw.example/openai/v1/chat/completions", "https://gw.example/openai/v1"),
        ("HTTPS://GW.Example/V1", "https://gw.example/V1"),
        ("https://my.openai.azure.com/openai/v1", "https://my.openai.azure.com/openai/v1"),
    ],
)
def test_what_people_paste_becomes_a_base_url(typed: str, kept: str) -> None:
    assert normalize_base_url(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "http://api.example/v1",
        "http://10.0.0.5:8000/v1",
        "https://user:secret@api.example/v1",
        "https://api.example/v1?key=secret",
        "https://api.example/v1#secret",
        "ftp://api.example",
        "file:///etc/passwd",
        "https://",
        "https://api.example:0/v1",
        "https://api.example:99999/v1",
        "https://YOUR-RESOURCE.openai.azure.com/openai/v1",
        "sk-secret 0123456789",
        "https://api.example\\@evil.example/v1",
    ],
)
def test_what_a_key_must_not_be_sent_to_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(DeskError) as refused:
        normalize_base_url(typed)
    assert refused.value.code == "base-url"
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://localhost.evil.example/v1", "http://127.0.0.1.evil.example", "http://0x7f.1.example"]
)
def test_a_name_that_only_looks_local_is_not(url: str) -> None:
    assert not is_loopback(url)
    with pytest.raises(DeskError):
        normalize_base_url(url)


def test_every_preset_can_be_used_as_it_is_or_says_what_to_fill_in() -> None:
    for preset in PRESETS:
        if preset.base_url and "YOUR-" not in preset.base_url:
            assert normalize_base_url(preset.base_url) == preset.base_url
            assert is_loopback(preset.base_url) == preset.is_local
        elif "YOUR-" in preset.base_url:
            assert preset.note


def test_a_proxy_is_followed_but_never_for_this_machine_and_never_shown_with_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://me:secret@proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    proxy = proxy_for("https://api.example/v1")
    assert proxy == "http://me:secret@proxy.example:3128"
    assert proxy_host(proxy) == "proxy.example"
    assert proxy_for("http://127.0.0.1:1234/v1") is None
    assert host_of("https://[") == ""
