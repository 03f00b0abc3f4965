"""`langchain-openai`, and what the integration tests of `langchain-ollama` leave out."""

import pydantic
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_ollama import ChatOllama, OllamaEmbeddings
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings

QUESTION = "What is the capital of France?"


class Town(pydantic.BaseModel):
    """A town."""

    name: str
    people: int


@tool
def get_current_weather(location: str) -> str:
    """The weather at a place."""
    return f"snow in {location}"


def chats(url, **more):
    return [ChatOpenAI(model="stub", max_retries=0, **more), ChatOllama(model="stub", base_url=url, **more)]


def test_both_chats_answer_stream_and_count(url):
    for chat in chats(url):
        answer = chat.invoke(QUESTION)
        assert answer.content == "Paris is it." and answer.usage_metadata["output_tokens"] == 3
        assert "".join(chunk.content for chunk in chat.stream(QUESTION)) == "Paris is it."


async def test_both_chats_answer_asynchronously(url):
    for chat in chats(url):
        assert (await chat.ainvoke(QUESTION)).content == "Paris is it."
        text = ""
        async for chunk in chat.astream(QUESTION):
            text += chunk.content
        assert text == "Paris is it."


def test_both_chats_call_a_tool_and_take_its_result(url):
    for chat in chats(url):
        with_tools = chat.bind_tools([get_current_weather])
        messages = [HumanMessage("How is the weather in Boston?")]
        called = with_tools.invoke(messages)
        (call,) = called.tool_calls
        assert call["args"] == {"location": "Boston"}
        result = get_current_weather.invoke(call)
        assert isinstance(result, ToolMessage)
        assert with_tools.invoke([*messages, called, result]).content


def test_both_chats_answer_in_the_form_of_a_class(url):
    for chat in chats(url):
        for method in ("json_schema", "function_calling"):
            assert isinstance(chat.with_structured_output(Town, method=method).invoke("Name a town."), Town)


def test_a_tool_can_be_demanded():
    chat = ChatOpenAI(model="stub", max_retries=0).bind_tools([get_current_weather], tool_choice="any")
    assert chat.invoke(QUESTION).tool_calls[0]["name"] == "get_current_weather"


def test_probabilities_reach_langchain():
    answer = ChatOpenAI(model="stub", max_retries=0).bind(logprobs=True, top_logprobs=1).invoke(QUESTION)
    assert len(answer.response_metadata["logprobs"]["content"]) == 3


def test_pictures_reach_the_model_through_both(url, picture, data_url):
    content = [{"type": "text", "text": "What do you see?"}, {"type": "image_url", "image_url": {"url": data_url}}]
    for chat in chats(url):
        assert chat.invoke([HumanMessage(content)]).content == f"I see 1 of {len(picture)} bytes."


def test_the_older_completions():
    assert OpenAI(model="stub", max_retries=0).invoke("capital of France") == "Paris is it."


def test_embeddings_of_both_are_the_same(url):
    # Tokens would be those of OpenAI's vocabulary, which no other model shares.
    by_openai = OpenAIEmbeddings(model="embedding", check_embedding_ctx_length=False)
    by_ollama = OllamaEmbeddings(model="embedding", base_url=url)
    assert by_openai.embed_query("one") == pytest.approx(by_ollama.embed_query("one"), abs=1e-6)
    assert len(by_openai.embed_documents(["one", "two"])) == 2


def test_a_model_is_validated_when_a_chat_is_made(url):
    ChatOllama(model="stub", base_url=url, validate_model_on_init=True)
    with pytest.raises(ValueError, match="nowhere"):
        ChatOllama(model="nowhere", base_url=url, validate_model_on_init=True)
