"""PyPI `openai` against `atelier serve` on SmolLM2: chat, streams, tools, schema, embeddings, responses, errors, cancel. Usage: openai_client.py URL MODEL

Run by scripts/check_clients.sh, which pins the package and starts the server.
"""
import json
import sys
import time
import urllib.request

import openai

URL, MODEL = sys.argv[1:]
client = openai.OpenAI(base_url=f"{URL}/v1", api_key="any", max_retries=0)
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


def metric(name: str) -> float:
    """The sum of a series of /metrics."""
    with urllib.request.urlopen(f"{URL}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + "{"))


def chat(**options):
    return client.chat.completions.create(model=MODEL, messages=QUESTION, **{"max_tokens": 16, "temperature": 0, **options})


def test_models() -> None:
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).object == "model"


def test_whole_and_stream_agree() -> None:
    whole = chat()
    chunks = list(chat(stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content and len(text) > 8, text
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens == 16
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "length"


def test_choices_and_seeds() -> None:
    first, again = (chat(n=2, seed=5, temperature=1.5) for _ in range(2))
    assert [choice.message.content for choice in first.choices] == [choice.message.content for choice in again.choices]
    assert first.choices[0].message.content != first.choices[1].message.content


def test_logprobs() -> None:
    content = chat(logprobs=True, top_logprobs=5).choices[0].logprobs.content
    assert len(content) == 16 and all(len(token.top_logprobs) == 5 and token.top_logprobs[0].logprob == token.logprob for token in content)


def test_stop() -> None:
    text = chat().choices[0].message.content
    mark = text[6:9]
    cut = chat(stop=[mark])
    assert cut.choices[0].finish_reason == "stop" and cut.choices[0].message.content == text[:text.index(mark)]


def test_schema() -> None:
    schema = {"type": "object", "required": ["name", "age"], "additionalProperties": False,
              "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "minimum": 0, "maximum": 150}}}
    answer = chat(max_tokens=80, response_format={"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": schema}})
    person = json.loads(answer.choices[0].message.content)
    assert set(person) == {"name", "age"} and 0 <= person["age"] <= 150, person
    chat(max_tokens=200, response_format={"type": "json_object"})


TOOL = {"type": "function", "function": {"name": "get_weather", "description": "The weather of a city", "parameters": {
    "type": "object", "required": ["city", "days"], "additionalProperties": False,
    "properties": {"city": {"type": "string", "maxLength": 20}, "days": {"type": "integer", "minimum": 1, "maximum": 9}}}}}


def test_tools() -> None:
    options = {"max_tokens": 100, "tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "get_weather"}}}
    call = chat(**options).choices[0].message.tool_calls[0]
    assert set(json.loads(call.function.arguments)) == {"city", "days"}, call
    streamed, finish = "", None
    for chunk in chat(stream=True, **options):
        for part in chunk.choices[0].delta.tool_calls or []:
            streamed += part.function.arguments or ""
        finish = chunk.choices[0].finish_reason or finish
    assert streamed == call.function.arguments and finish == "tool_calls"


def test_embeddings() -> None:
    packed = client.embeddings.create(model=MODEL, input=["a cat", "a kitten"]).data
    plain = client.embeddings.create(model=MODEL, input="a cat", encoding_format="float").data
    assert len(packed) == 2 and max(abs(a - b) for a, b in zip(packed[0].embedding, plain[0].embedding)) < 1e-6


def test_responses() -> None:
    whole = client.responses.create(model=MODEL, input="Name a colour.", max_output_tokens=12, temperature=0)
    stream = client.responses.create(model=MODEL, input="Name a colour.", max_output_tokens=12, temperature=0, stream=True)
    assert "".join(event.delta for event in stream if event.type == "response.output_text.delta") == whole.output_text


def test_completions() -> None:
    answer = client.completions.create(model=MODEL, prompt="The capital of France is", max_tokens=4, temperature=0, logprobs=3, echo=True)
    choice = answer.choices[0]
    assert choice.text.startswith("The capital of France is") and "".join(choice.logprobs.tokens) == choice.text
    assert choice.logprobs.token_logprobs[0] is None and len(choice.logprobs.top_logprobs[1]) == 3
    streamed = "".join(chunk.choices[0].text for chunk in client.completions.create(
        model=MODEL, prompt="The capital of France is", max_tokens=4, temperature=0, stream=True))
    assert choice.text.endswith(streamed), streamed


def test_errors() -> None:
    for error, options in ((openai.NotFoundError, {"model": "gpt-none"}), (openai.BadRequestError, {"temperature": "hot"}),
                           (openai.BadRequestError, {"messages": [{"role": "user", "content": "word " * 20000}]})):
        try:
            client.chat.completions.create(**{"model": MODEL, "messages": QUESTION, **options})
            raise AssertionError(f"no error for {options}")
        except error as raised:
            assert raised.body["message"], raised
            code = raised.code
    assert code == "context_length_exceeded"


def test_cancel() -> None:
    before = metric("atelier:requests_cancelled_total")
    stream = chat(stream=True, max_tokens=2000, temperature=1)
    next(iter(stream))
    stream.close()
    for _ in range(100):
        if metric("atelier:requests_cancelled_total") > before and metric("llamacpp:requests_processing") == 0:
            return
        time.sleep(0.1)
        chat(max_tokens=1)  # counts are those of the latest step
    raise AssertionError("a stream that was closed goes on")


tests = [(name, test) for name, test in list(globals().items()) if name.startswith("test_")]
for name, test in tests:
    test()
    print(f"openai {openai.__version__}: {name} passed")
