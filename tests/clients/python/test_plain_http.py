"""Calls for which there is no package here: rerankers' clients, Open WebUI, and those who ask whether anybody is there."""

import json

import httpx
import pytest

DOCUMENTS = ["nothing here", "the capital of France is Paris", {"text": "France"}]


@pytest.fixture
def http(url):
    with httpx.Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank"])
def test_rerank_has_coheres_shape(http, path):
    body = {"model": "stub", "query": "capital of France", "documents": DOCUMENTS, "top_n": 2, "return_documents": True}
    answer = http.post(path, json=body).json()
    assert [result["index"] for result in answer["results"]] == [1, 2]
    assert answer["results"][0]["relevance_score"] > answer["results"][1]["relevance_score"]
    assert answer["results"][1]["document"] == {"text": "France"}


@pytest.mark.parametrize("model", ["tiny-bert-rerank", "tiny-xlm-r-rerank"])
def test_a_cross_encoder_ranks_every_document(http, model):
    body = {"model": model, "query": "capital of France", "documents": DOCUMENTS}
    results = http.post("/v1/rerank", json=body).json()["results"]
    assert sorted(result["index"] for result in results) == [0, 1, 2]
    scores = [result["relevance_score"] for result in results]
    assert scores == sorted(scores, reverse=True)


def test_rerank_refuses_what_it_cannot_do(http):
    for change, word in (({"model": "embedding"}, "rerank"), ({"documents": []}, "documents"), ({"top_n": 0}, "top_n"),
                         ({"max_chunks_per_doc": 3}, "max_chunks_per_doc")):
        answer = http.post("/v1/rerank", json={"model": "stub", "query": "q", "documents": ["a"]} | change)
        assert answer.status_code == 400 and word in answer.json()["error"]["message"]


def test_somebody_is_there(http):
    assert http.get("/").text == "Ollama is running"
    assert http.head("/").status_code == 200
    assert http.head("/api/tags").status_code == 200


def test_what_open_webui_reads(http):
    assert http.get("/api/version").json()["version"].count(".") == 2
    for model in http.get("/api/tags").json()["models"]:
        assert {"name", "model", "modified_at", "size", "digest", "details"} <= model.keys()
        assert {"format", "family", "families", "parameter_size", "quantization_level"} <= model["details"].keys()
    for model in http.get("/v1/models").json()["data"]:
        assert {"id", "object", "created", "owned_by"} <= model.keys()
    assert "models" in http.get("/api/ps").json()


def test_open_webuis_chat(http):
    body = {
        "model": "stub:latest",
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
        "stream": True,
        "options": {"temperature": 0.7, "num_ctx": 4096, "num_gpu": 1, "use_mmap": True},
        "keep_alive": "10m",
        "metadata": {"chat_id": "1"},
    }
    with http.stream("POST", "/api/chat", json=body) as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        lines = [line for line in answer.iter_lines() if line]
    last = json.loads(lines[-1])
    assert last["done"] and {"metadata", "num_gpu", "use_mmap"} <= set(last["anwen"]["ignored"])
    assert {"total_duration", "load_duration", "prompt_eval_count", "eval_count", "eval_duration"} <= last.keys()
