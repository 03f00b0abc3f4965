"""The `openai` package, through every route that the runtime has of OpenAI's."""

import json

import openai
import pydantic
import pytest

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "The weather.",
        "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
    },
}
TIME = {"type": "function", "function": {"name": "get_time", "parameters": {
    "type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]}}}


class Town(pydantic.BaseModel):
    name: str
    people: int


@pytest.fixture
def client():
    return openai.OpenAI(max_retries=0)


@pytest.fixture
def aclient():
    return openai.AsyncOpenAI(max_retries=0)


def test_chat(client):
    answer = client.chat.completions.create(model="stub", messages=QUESTION)
    assert answer.choices[0].message.content == "Paris is it."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens_details.cached_tokens == 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 3


def test_chat_streams_with_usage(client):
    chunks = list(client.chat.completions.create(
        model="stub", messages=QUESTION, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "Paris is it." and chunks[-1].usage.completion_tokens == 3


async def test_async_chat_and_stream(aclient):
    answer = await aclient.chat.completions.create(model="stub", messages=QUESTION)
    assert answer.choices[0].message.content == "Paris is it."
    text = ""
    async for chunk in await aclient.chat.completions.create(model="stub", messages=QUESTION, stream=True):
        text += chunk.choices[0].delta.content or ""
    assert text == "Paris is it."


def test_several_choices(client):
    answer = client.chat.completions.create(model="stub", messages=[{"role": "user", "content": "go"}], n=3, seed=1)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) == 3
    assert answer.usage.completion_tokens == 36 and answer.usage.prompt_tokens == 1
    texts = {0: "", 1: ""}
    ends = set()
    for chunk in client.chat.completions.create(model="stub", messages=QUESTION, n=2, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            ends |= {choice.index} if choice.finish_reason else set()
    assert texts == {0: "Paris is it.", 1: "Paris is it."} and ends == {0, 1}


def test_stop_and_bound(client):
    stopped = client.chat.completions.create(model="stub", messages=QUESTION, stop=[" it"])
    assert stopped.choices[0].message.content == "Paris is"
    cut = client.chat.completions.create(model="stub", messages=QUESTION, max_completion_tokens=1)
    assert cut.choices[0].finish_reason == "length"


def test_probabilities(client):
    answer = client.chat.completions.create(model="stub", messages=QUESTION, logprobs=True, top_logprobs=2)
    content = answer.choices[0].logprobs.content
    assert [entry.token for entry in content] == ["Paris ", "is ", "it."]
    assert bytes(content[0].bytes) == b"Paris " and len(content[0].top_logprobs) == 2
    chunks = list(client.chat.completions.create(model="stub", messages=QUESTION, logprobs=True, stream=True))
    streamed = [entry.token for chunk in chunks if chunk.choices[0].logprobs for entry in chunk.choices[0].logprobs.content]
    assert streamed == ["Paris ", "is ", "it."]


def test_tools_are_called_and_answered(client):
    messages = [{"role": "user", "content": "How is the weather in Boston?"}]
    called = client.chat.completions.create(model="stub", messages=messages, tools=[WEATHER])
    assert called.choices[0].finish_reason == "tool_calls"
    (call,) = called.choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"location": "Boston"}
    messages += [called.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "snow"}]
    last = client.chat.completions.create(model="stub", messages=messages, tools=[WEATHER])
    assert last.choices[0].message.content and last.choices[0].finish_reason == "stop"


def test_tool_choice(client):
    def calls(**more):
        answer = client.chat.completions.create(model="stub", tools=[WEATHER, TIME], **more)
        return [call.function.name for call in answer.choices[0].message.tool_calls or []]

    both = [{"role": "user", "content": "tell me both"}]
    assert calls(messages=both) == ["get_current_weather", "get_time"]
    assert calls(messages=both, parallel_tool_calls=False) == ["get_current_weather"]
    assert calls(messages=both, tool_choice="none") == []
    assert calls(messages=QUESTION) == []
    assert calls(messages=QUESTION, tool_choice="required") == ["get_current_weather"]
    named = {"type": "function", "function": {"name": "get_time"}}
    assert calls(messages=QUESTION, tool_choice=named) == ["get_time"]


def test_tool_calls_come_in_a_stream(client):
    with client.chat.completions.stream(
        model="stub", messages=[{"role": "user", "content": "tell me both"}], tools=[WEATHER, TIME],
    ) as stream:
        answer = stream.get_final_completion()
    calls = answer.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_current_weather", "get_time"]
    assert len({call.id for call in calls}) == 2


def test_answers_in_the_form_of_a_class(client):
    answer = client.chat.completions.parse(model="stub", messages=QUESTION, response_format=Town)
    assert isinstance(answer.choices[0].message.parsed, Town)
    plain = client.chat.completions.create(model="stub", messages=QUESTION, response_format={"type": "json_object"})
    assert isinstance(json.loads(plain.choices[0].message.content), dict)


def test_a_schema_is_kept_to_by_a_model_with_random_weights(client):
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"],
              "additionalProperties": False}
    answer = client.chat.completions.create(
        model="tiny-plain", messages=[{"role": "user", "content": "x"}], temperature=0, max_tokens=150,
        response_format={"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": schema}})
    text = answer.choices[0].message.content
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(text)["ok"], bool)
    else:
        assert text.lstrip().startswith("{")


@pytest.mark.parametrize("model", ["tiny-qwen3-q8_0", "tiny-llama-f16"])
def test_a_model_with_random_weights_calls_the_tool_that_it_must(client, model):
    parameters = {"type": "object", "properties": {"unit": {"enum": ["C", "F"]}}, "required": ["unit"],
                  "additionalProperties": False}
    tool = {"type": "function", "function": {"name": "t", "parameters": parameters}}
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "x"}], tools=[tool], temperature=0, max_tokens=120,
        tool_choice={"type": "function", "function": {"name": "t"}}, reasoning_effort="none")
    assert answer.choices[0].finish_reason == "tool_calls"
    assert json.loads(answer.choices[0].message.tool_calls[0].function.arguments)["unit"] in ("C", "F")


def test_pictures(client, picture, data_url):
    content = [{"type": "text", "text": "What do you see?"}, {"type": "image_url", "image_url": {"url": data_url}}]
    answer = client.chat.completions.create(model="stub", messages=[{"role": "user", "content": content}])
    assert answer.choices[0].message.content == f"I see 1 of {len(picture)} bytes."
    content[1]["image_url"]["url"] = "http://169.254.169.254/latest/meta-data"
    with pytest.raises(openai.BadRequestError, match="data URL"):
        client.chat.completions.create(model="stub", messages=[{"role": "user", "content": content}])


def test_thinking(client):
    answer = client.chat.completions.create(model="stub", messages=QUESTION, reasoning_effort="low")
    assert answer.choices[0].message.reasoning_content == "Let me think."
    for extra in ({"think": True}, {"chat_template_kwargs": {"enable_thinking": True}}):
        chunks = client.chat.completions.create(model="stub", messages=QUESTION, stream=True, extra_body=extra)
        thought = "".join(getattr(chunk.choices[0].delta, "reasoning_content", None) or "" for chunk in chunks)
        assert thought == "Let me think."


def test_hints_are_taken_and_unknown_fields_are_not(client):
    client.chat.completions.create(
        model="stub", messages=QUESTION, user="u", metadata={"a": "b"}, store=False, service_tier="auto")
    for extra, name in (({"surprise": 1}, "surprise"), ({"modalities": ["audio"]}, "modalities"), ({"n": 99}, "n is")):
        with pytest.raises(openai.BadRequestError, match=name):
            client.chat.completions.create(model="stub", messages=QUESTION, extra_body=extra)


def test_completions(client):
    one = client.completions.create(model="stub", prompt="capital of France", echo=True)
    assert one.choices[0].text == "capital of FranceParis is it."
    many = client.completions.create(model="stub", prompt=["capital of France", "go"], n=2, best_of=2)
    assert [choice.index for choice in many.choices] == [0, 1, 2, 3]
    assert many.choices[1].text == "Paris is it." and many.usage.prompt_tokens == 4
    probable = client.completions.create(model="stub", prompt="capital of France", logprobs=1)
    assert probable.choices[0].logprobs.text_offset == [0, 6, 9]
    parts = client.completions.create(model="stub", prompt="capital of France", stream=True)
    assert "".join(part.choices[0].text for part in parts) == "Paris is it."
    filled = client.completions.create(model="stub", prompt="capital of France", suffix="end")
    assert filled.choices[0].text == "Paris is it."


def test_completions_of_tokens(client):
    answer = client.completions.create(model="stub", prompt=[1, 2, 3])
    assert answer.usage.prompt_tokens == 3
    two = client.completions.create(model="stub", prompt=[[1, 2], [3]])
    assert len(two.choices) == 2 and two.usage.prompt_tokens == 3


async def test_async_completions_and_embeddings(aclient):
    answer = await aclient.completions.create(model="stub", prompt="capital of France")
    assert answer.choices[0].text == "Paris is it."
    vectors = await aclient.embeddings.create(model="embedding", input=["a", "b"])
    assert len(vectors.data) == 2


def test_embeddings(client):
    base64 = client.embeddings.create(model="embedding", input=["one", "two"])
    floats = client.embeddings.create(model="embedding", input="one", encoding_format="float")
    assert floats.data[0].embedding == pytest.approx(base64.data[0].embedding, abs=1e-6)
    assert [item.index for item in base64.data] == [0, 1]
    assert len(client.embeddings.create(model="stub", input=[[1, 2], [3]], dimensions=4).data[1].embedding) == 4
    assert len(client.embeddings.create(model="stub", input=[1, 2], user="u").data) == 1


def test_models(client):
    names = {model.id for model in client.models.list()}
    assert {"stub", "embedding", "tiny-plain"} <= names
    assert client.models.retrieve("embedding").id == "embedding"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nowhere/at-all")


def test_failures(client):
    with pytest.raises(openai.NotFoundError) as failure:
        client.chat.completions.create(model="nowhere", messages=QUESTION)
    assert failure.value.code == "model_not_found"
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="stub", messages=[{"role": "user", "content": "break off"}])
    with pytest.raises(openai.APIError, match="failed while it generated"):
        list(client.chat.completions.create(
            model="stub", messages=[{"role": "user", "content": "break off"}], stream=True))
