"""Language models: recorded answers of both kinds, refusals in words, and a real endpoint on this computer."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from pydantic import BaseModel

from studio.connectors.language_model import Endpoint, LanguageModel, Prompt
from studio.domain.errors import Rejected, Transient, UserFixable


class Colour(BaseModel):
    name: str
    red: int


PROMPT = Prompt("Answer briefly.", "Which colour is a rose?")
FINE = '{"name": "crimson", "red": 220}'


def openai(content: str) -> dict:
    return {"id": "c1", "object": "chat.completion", "choices": [{"index": 0, "message": {"content": content}}]}


def anthropic(answer: object) -> dict:
    return {"type": "message", "content": [{"type": "text", "text": "Sure."}, {"type": "tool_use", "input": answer}]}


def ask(kind, *answers, key="k1"):
    """What comes back, and what was sent, for recorded (status, body) answers."""
    sent: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        status, body = answers[len(sent) - 1]
        return httpx.Response(status, json=body)

    model = LanguageModel(Endpoint(kind, "https://model.example/v1", "m", key), httpx.MockTransport(reply))
    return asyncio.run(model.complete(PROMPT, Colour)), sent


def test_an_openai_compatible_answer_is_read_and_the_schema_is_sent():
    answer, (sent,) = ask("openai", (200, openai(FINE)))
    assert answer == Colour(name="crimson", red=220)
    assert str(sent.url) == "https://model.example/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer k1"
    body = json.loads(sent.content)
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["name", "red"]


def test_an_anthropic_answer_is_read_and_the_tool_is_forced():
    answer, (sent,) = ask("anthropic", (200, anthropic({"name": "crimson", "red": 220})))
    assert answer.red == 220
    assert str(sent.url) == "https://model.example/v1/messages"
    assert sent.headers["x-api-key"] == "k1"
    assert json.loads(sent.content)["tool_choice"] == {"type": "tool", "name": "answer"}


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_what_is_shown_is_what_is_sent_and_holds_no_key(kind):
    shown = LanguageModel(Endpoint(kind, "https://model.example/v1/", "m", "k1")).request(PROMPT, Colour)
    answer = openai(FINE) if kind == "openai" else anthropic({"name": "x", "red": 1})
    _, (sent,) = ask(kind, (200, answer))
    assert json.loads(sent.content) == shown.body
    assert "k1" not in shown.shown()


def test_a_wrong_form_is_asked_for_once_more_and_then_refused():
    answer, sent = ask("openai", (200, openai('{"name": "crimson"}')), (200, openai(FINE)))
    assert answer.red == 220
    assert "red: Field required" in json.loads(sent[1].content)["messages"][1]["content"]
    with pytest.raises(Rejected) as caught:
        ask("openai", (200, openai("no JSON")), (200, {"odd": True}))
    assert caught.value.code == "MODEL-FORM"


@pytest.mark.parametrize(("status", "kind", "code"), [(401, Rejected, "MODEL-REFUSED"), (429, Transient, "MODEL-BUSY")])
def test_refusals_are_told_in_words(status, kind, code):
    with pytest.raises(kind) as caught:
        ask("openai", (status, {"error": "no"}))
    assert caught.value.code == code


def test_no_server_and_no_model_are_told_in_words():
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    model = LanguageModel(Endpoint("openai", "http://127.0.0.1:1/v1", "m"), httpx.MockTransport(nobody))
    with pytest.raises(Transient) as caught:
        asyncio.run(model.complete(PROMPT, Colour))
    assert caught.value.code == "MODEL-UNREACHABLE"
    with pytest.raises(UserFixable):
        LanguageModel(Endpoint("openai", "model", "m"))


@pytest.mark.enable_socket
def test_a_real_endpoint_on_this_computer_is_asked_over_http():
    class Endpoint8(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            body = json.dumps(openai(json.dumps({"name": asked["model"], "red": len(asked["messages"])}))).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Endpoint8)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        model = LanguageModel(Endpoint("openai", f"http://127.0.0.1:{server.server_port}/v1", "rose"))
        assert asyncio.run(model.complete(PROMPT, Colour)) == Colour(name="rose", red=2)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
