"""The `ollama` package, through every call of its client that needs no other server."""

import json

import ollama
import pytest

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}, "kind": {"enum": ["a", "b"]}},
    "required": ["ok", "kind"],
    "additionalProperties": False,
}


def get_current_weather(location: str) -> str:
    """The weather.

    Args:
        location: a town
    """
    return f"snow in {location}"


@pytest.fixture
def client(url):
    return ollama.Client(host=url)


@pytest.fixture
def aclient(url):
    return ollama.AsyncClient(host=url)


def test_chat_answers_with_counts_and_durations(client):
    answer = client.chat("stub", QUESTION)
    assert answer.message.content == "Paris is it."
    assert answer.done and answer.done_reason == "stop"
    assert answer.eval_count == 3 and answer.prompt_eval_count == 6
    assert answer.total_duration >= answer.eval_duration >= 0


def test_chat_streams(client):
    parts = list(client.chat("stub", QUESTION, stream=True))
    assert "".join(part.message.content for part in parts) == "Paris is it."
    assert [part.done for part in parts] == [False] * 3 + [True]


async def test_async_chat_streams(aclient):
    text = ""
    async for part in await aclient.chat("stub", QUESTION, stream=True):
        text += part.message.content
    assert text == "Paris is it."


async def test_async_chat_generate_and_embed(aclient):
    assert (await aclient.chat("stub", QUESTION)).message.content == "Paris is it."
    assert (await aclient.generate("stub", "capital of France")).response == "Paris is it."
    assert len((await aclient.embed("embedding", "hello")).embeddings[0]) == 512


def test_a_function_is_offered_called_and_answered(client):
    messages = [{"role": "user", "content": "How is the weather in Boston?"}]
    called = client.chat("stub", messages, tools=[get_current_weather])
    (call,) = called.message.tool_calls
    assert call.function.name == "get_current_weather"
    assert call.function.arguments == {"location": "Boston"}
    result = get_current_weather(**call.function.arguments)
    messages += [called.message, {"role": "tool", "tool_name": call.function.name, "content": result}]
    last = client.chat("stub", messages, tools=[get_current_weather])
    assert last.message.content and not last.message.tool_calls


def test_tool_calls_come_in_a_stream(client):
    messages = [{"role": "user", "content": "How is the weather in Boston?"}]
    parts = list(client.chat("stub", messages, tools=[get_current_weather], stream=True))
    calls = [call for part in parts for call in part.message.tool_calls or []]
    assert [call.function.name for call in calls] == ["get_current_weather"]
    assert parts[-1].done_reason == "stop"


def test_format_is_kept_to_by_the_scripted_engine(client):
    assert json.loads(client.chat("stub", QUESTION, format=SCHEMA).message.content) == {"ok": True, "kind": "a"}
    assert isinstance(json.loads(client.generate("stub", "any", format="json").response), dict)


def test_format_is_kept_to_by_a_model_with_random_weights(client):
    answer = client.chat("tiny-plain", [{"role": "user", "content": "x"}], format=SCHEMA,
                         options={"num_predict": 150, "temperature": 0})
    if answer.done_reason == "stop":
        value = json.loads(answer.message.content)
        assert isinstance(value["ok"], bool) and value["kind"] in ("a", "b")
    else:
        assert answer.message.content.lstrip().startswith("{")


def test_options_bound_an_answer_of_random_weights(client):
    options = {"num_predict": 5, "temperature": 0, "num_thread": 2, "num_gpu": 0, "num_ctx": 128}
    answer = client.chat("tiny-plain", [{"role": "user", "content": "x"}], options=options)
    again = client.chat("tiny-plain", [{"role": "user", "content": "x"}], options=options)
    assert answer.eval_count == 5 and answer.done_reason == "length"
    assert again.message.content == answer.message.content


def test_a_raw_prompt_is_continued(client):
    answer = client.generate("tiny-plain", "abc", raw=True, options={"num_predict": 3, "temperature": 0})
    assert answer.prompt_eval_count == 3 and answer.eval_count == 3


def test_an_option_that_is_not_offered_is_an_error(client):
    with pytest.raises(ollama.ResponseError, match="mirostat") as failure:
        client.chat("stub", QUESTION, options={"mirostat": 2})
    assert failure.value.status_code == 400


def test_thinking_comes_apart_from_the_answer(client):
    for think in (True, "low", "medium", "high"):
        answer = client.chat("stub", QUESTION, think=think)
        assert answer.message.thinking == "Let me think." and answer.message.content == "Paris is it."
    assert client.chat("stub", QUESTION, think=False).message.thinking is None
    parts = list(client.generate("stub", "capital of France", think=True, stream=True))
    assert "".join(part.thinking or "" for part in parts) == "Let me think."


def test_pictures_reach_the_model(client, picture, tmp_path):
    path = tmp_path / "red.png"
    path.write_bytes(picture)
    expected = f"I see 1 of {len(picture)} bytes."
    message = {"role": "user", "content": "What do you see?", "images": [path]}
    assert client.chat("stub", [message]).message.content == expected
    assert client.generate("stub", "What do you see?", images=[picture]).response == expected


def test_a_picture_for_a_model_that_does_not_see_is_an_error(client, picture):
    with pytest.raises(ollama.ResponseError, match="see pictures"):
        client.generate("tiny-plain", "What?", images=[picture])


def test_probabilities_of_tokens(client):
    answer = client.chat("stub", QUESTION, logprobs=True, top_logprobs=2)
    assert [entry.token for entry in answer.logprobs] == ["Paris ", "is ", "it."]
    assert all(len(entry.top_logprobs) == 2 and entry.logprob < 0 for entry in answer.logprobs)


def test_generate_goes_on_with_its_context(client):
    first = client.generate("stub", "capital of France", system="be brief")
    second = client.generate("stub", "and now?", context=first.context)
    words_before = len("be brief capital of France Paris is it.".split())
    assert second.prompt_eval_count == words_before + len("and now?".split())


def test_a_suffix_asks_for_what_stands_between(client):
    assert client.generate("stub", "capital of France", suffix="end").response == "Paris is it."


def test_embeddings_in_both_calls(client):
    many = client.embed("embedding", ["one", "two"])
    assert len(many.embeddings) == 2 and many.prompt_eval_count > 0
    one = client.embeddings("embedding", "one")
    assert one.embedding == pytest.approx(many.embeddings[0], abs=1e-6)
    assert len(client.embed("stub", "x", dimensions=4).embeddings[0]) == 4


def test_listings(client):
    names = [model.model for model in client.list().models]
    assert {"stub:latest", "embedding:latest", "tiny-plain:latest"} <= set(names)
    assert "completion" in client.show("tiny-plain").capabilities
    client.generate("tiny-plain")
    assert "tiny-plain:latest" in [model.model for model in client.ps().models]
    unloaded = client.generate("tiny-plain", keep_alive=0)
    assert unloaded.done_reason == "unload"
    assert "tiny-plain:latest" not in [model.model for model in client.ps().models]


@pytest.mark.parametrize("keep_alive", ["5m", 300, -1, "1h30m"])
def test_keep_alive_is_taken(client, keep_alive):
    assert client.chat("stub", QUESTION, keep_alive=keep_alive).done


def test_failures_have_ollamas_shape(client):
    with pytest.raises(ollama.ResponseError) as failure:
        client.chat("nowhere", QUESTION)
    assert failure.value.status_code == 404 and "nowhere" in failure.value.error
    with pytest.raises(ollama.ResponseError, match="failed while it generated"):
        list(client.chat("stub", [{"role": "user", "content": "break off"}], stream=True))
