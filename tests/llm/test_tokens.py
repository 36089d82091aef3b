"""Tokens are counted exactly for OpenAI's models, quickly whatever the text, and not claimed for any other model."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from desktop.domain.llm import ChatMessage
from desktop.llm.tokens import count_prompt_tokens, count_tokens, estimate_tokens, is_exact

NEWER, OLDER = "gpt-4o", "gpt-4"
CJK = "发票金额不对，请退款。"
MEGABYTE = 1_000_000


@pytest.fixture
def tokenizer() -> Any:
    """Return the library itself, loaded as the program loads it."""
    count_tokens("ready", NEWER)
    import bpe_openai

    return bpe_openai


@pytest.mark.parametrize(
    "model",
    "gpt-4o gpt-4o-mini gpt-4.1-nano gpt-4.5-preview gpt-5 gpt-5-mini-2025-08-07 o1 o3-mini o4-mini chatgpt-4o-latest gpt-oss-20b "
    "openai/gpt-4o openrouter/openai/o3-mini openai/gpt-oss-20b:free GPT-4o ft:gpt-4o-mini:acme::id".split(),
)
def test_newer_models_count_in_the_newer_way(model: str) -> None:
    assert is_exact(model)
    assert count_tokens(CJK, model) == count_tokens(CJK, NEWER) != count_tokens(CJK, OLDER)


@pytest.mark.parametrize(
    "model",
    "gpt-4 gpt-4-turbo gpt-4-0613 gpt-4-1106-preview gpt-3.5-turbo gpt-35-turbo openai/gpt-4-turbo text-embedding-3-small "
    "text-embedding-ada-002 ft:gpt-3.5-turbo:acme".split(),
)
def test_older_models_count_in_the_older_way(model: str) -> None:
    assert is_exact(model)
    assert count_tokens(CJK, model) == count_tokens(CJK, OLDER) != count_tokens(CJK, NEWER)


@pytest.mark.parametrize(
    "model",
    "scripted llama3.1:8b claude-sonnet-4 mistral-large gpt-2 gpt2 EleutherAI/gpt-j-6b gpt-neox-20b gpt4all olmo o1js deepseek-r1 "
    "text-embedding-004 my-gpt-4o ".split(" "),
)
def test_no_count_is_claimed_for_other_models(model: str) -> None:
    assert not is_exact(model)
    assert count_tokens("My invoice is wrong.", model) is None
    assert count_prompt_tokens((ChatMessage("user", "My invoice is wrong."),), model) is None
    assert estimate_tokens("My invoice is wrong.") == 5


def test_the_tokenizer_agrees_on_every_model_that_it_knows_itself(tokenizer: Any) -> None:
    for model in filter(is_exact, tokenizer.list_supported_models()):
        name = tokenizer.encoding_name_for_model(model)
        assert count_tokens(CJK, model) == len(tokenizer.get_encoding(name).encode_ordinary(CJK)), model


def test_known_texts_have_the_counts_that_openai_publishes() -> None:
    assert [count_tokens("antidisestablishmentarianism", m) for m in (OLDER, NEWER)] == [6, 6]
    assert [count_tokens("2 + 2 = 4", m) for m in (OLDER, NEWER)] == [7, 7]
    assert [count_tokens("お誕生日おめでとう", m) for m in (OLDER, NEWER)] == [9, 8]
    assert count_tokens("", NEWER) == 0


def test_words_that_are_commands_to_a_model_are_plain_text() -> None:
    assert (count_tokens("<|endoftext|>", NEWER) or 0) > 1


def test_half_an_emoji_is_counted_as_it_is_sent() -> None:
    assert count_tokens("cut \ud83d", NEWER) == count_tokens("cut \ufffd", NEWER)


def test_a_long_text_has_as_many_tokens_as_its_pieces_joined(tokenizer: Any) -> None:
    text = "The export  fails on a page.\n\n It's  page 12345 — d'accord ?!\r\n" * 2_500
    for model, name in ((NEWER, "o200k_base"), (OLDER, "cl100k_base")):
        assert len(text) > 150_000
        assert count_tokens(text, model) == len(tokenizer.get_encoding(name).encode_ordinary(text))


@pytest.mark.parametrize("model", [NEWER, OLDER])
@pytest.mark.parametrize(
    "unit", ["a", "é", " ", "\n", " \n", "!", "7", "的", "😀", "\u0301", "\U000f0000", "A'", "\x00"]
)
def test_a_megabyte_of_one_letter_is_counted_at_once(unit: str, model: str) -> None:
    assert count_tokens("ready", model) == 1
    text = unit * (MEGABYTE // len(unit))
    began = time.perf_counter()
    count = count_tokens(text, model)
    assert time.perf_counter() - began < 1.0
    assert count is not None
    assert count > MEGABYTE // 200


def test_a_prompt_is_longer_than_its_texts_by_what_frames_them() -> None:
    messages = (ChatMessage("system", "You are a helpful assistant."), ChatMessage("user", "My invoice is wrong."))
    texts = sum(count_tokens(message.content, NEWER) or 0 for message in messages)
    assert count_prompt_tokens(messages, NEWER) == texts + 2 * 4 + 3
    assert count_prompt_tokens(iter(messages), NEWER) == texts + 2 * 4 + 3


def test_the_tokenizer_is_loaded_only_to_count() -> None:
    code = (
        "import sys; from desktop.llm.tokens import count_tokens; print('bpe_openai' in sys.modules);"
        "count_tokens('a', 'other'); print('bpe_openai' in sys.modules);"
        "count_tokens('a', 'gpt-4o'); print('bpe_openai' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False", "True"]
