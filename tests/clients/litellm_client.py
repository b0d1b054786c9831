"""PyPI `litellm` against `atelier serve`, as OpenAI's, Anthropic's and Ollama's provider. Usage: litellm_client.py URL MODEL"""
import json
import os
import sys

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # nothing is fetched
import litellm  # noqa: E402

URL, MODEL = sys.argv[1:]
litellm.telemetry = False
MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]
SCHEMA = {"type": "object", "required": ["city", "days"], "additionalProperties": False,
          "properties": {"city": {"type": "string", "maxLength": 20}, "days": {"type": "integer", "minimum": 1, "maximum": 9}}}
PROVIDERS = {"openai": f"{URL}/v1", "anthropic": URL, "ollama_chat": URL}
HEADERS = {"ollama_chat": {"Content-Type": "application/json"}}  # litellm sends none there, and the server wants to be told


def chat(provider: str, **options):
    return litellm.completion(model=f"{provider}/{MODEL}", api_base=PROVIDERS[provider], api_key="any", messages=MESSAGES,
                              **{"max_tokens": 16, "temperature": 0, "num_retries": 0, "extra_headers": HEADERS.get(provider), **options})


def test_chat_and_stream_agree() -> None:
    texts = set()
    for provider in PROVIDERS:
        whole = chat(provider).choices[0].message.content
        streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chat(provider, stream=True))
        assert streamed == whole and len(whole) > 8, (provider, whole, streamed)
        texts.add(whole)
    assert len(texts) == 1, texts


def test_tools() -> None:
    tools = [{"type": "function", "function": {"name": "get_weather", "description": "The weather of a city", "parameters": SCHEMA}}]
    for provider in ("openai", "anthropic"):
        choice = {"type": "function", "function": {"name": "get_weather"}}
        call = chat(provider, max_tokens=100, tools=tools, tool_choice=choice).choices[0].message.tool_calls[0]
        assert set(json.loads(call.function.arguments)) == {"city", "days"}, (provider, call)


def test_schema() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "weather", "strict": True, "schema": SCHEMA}}
    assert set(json.loads(chat("openai", max_tokens=80, response_format=form).choices[0].message.content)) == {"city", "days"}


def test_embeddings() -> None:
    answer = litellm.embedding(model=f"openai/{MODEL}", api_base=PROVIDERS["openai"], api_key="any", input=["a cat", "a kitten"], encoding_format="float")
    assert len(answer.data) == 2 and len(answer.data[0]["embedding"]) > 0


def test_errors() -> None:
    for error, options in ((litellm.NotFoundError, {"model": "openai/none"}), (litellm.BadRequestError, {"messages": [{"role": "user", "content": "word " * 20000}]})):
        try:
            litellm.completion(**{"model": f"openai/{MODEL}", "messages": MESSAGES, "api_base": PROVIDERS["openai"], "api_key": "any", "num_retries": 0, **options})
            raise AssertionError(f"no error for {options['model'] if 'model' in options else 'a long prompt'}")
        except error:
            pass


for name, test in [(name, test) for name, test in list(globals().items()) if name.startswith("test_")]:
    test()
    print(f"litellm: {name} passed")
