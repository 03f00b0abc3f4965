//! Language models through mistral.rs, with weights that the tests make.

use serde_json::{Value, json};

use crate::support::{Runtime, all, content_of, read_until};
use crate::tiny_model::{self, CONTEXT};

/// Which file format a test loads.
#[derive(Clone, Copy, Debug)]
enum Format {
    Gguf,
    Safetensors,
}

const FORMATS: [Format; 2] = [Format::Gguf, Format::Safetensors];

async fn runtime_with(format: Format) -> Runtime {
    let runtime = Runtime::start(|_| {}).await;
    write_model(&runtime, format);
    runtime
}

/// The model appears while the runtime runs.
fn write_model(runtime: &Runtime, format: Format) {
    match format {
        Format::Gguf => tiny_model::write_gguf(&runtime.models.path().join("tiny.gguf")),
        Format::Safetensors => tiny_model::write_safetensors(&runtime.models.path().join("tiny")),
    }
}

fn ask(max_tokens: u32) -> Value {
    json!({
        "model": "tiny",
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": max_tokens,
        "temperature": 0,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_listed_loaded_on_demand_and_answers() {
    for format in FORMATS {
        let runtime = runtime_with(format).await;
        let (_, listed) = runtime.get("/v1/models/tiny").await;
        assert_eq!(listed["anwen"]["state"], "available", "{format:?}");
        assert_eq!(listed["anwen"]["context_tokens"], CONTEXT);
        let (status, body) = runtime.post("/v1/chat/completions", &ask(8)).await;
        assert_eq!(status, 200, "{format:?} {body}");
        let text = body["choices"][0]["message"]["content"].as_str().unwrap();
        assert!(!text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase()), "{format:?} {text:?}");
        assert_eq!(body["choices"][0]["finish_reason"], "length");
        assert_eq!(body["usage"]["completion_tokens"], 8);
        // "<s>user: hello</s><s>assistant: ": 3 special tokens and a token for each byte between.
        assert_eq!(
            body["usage"]["prompt_tokens"],
            3 + "user: hello".len() + "assistant: ".len(),
            "{format:?}"
        );
        let (_, listed) = runtime.get("/v1/models/tiny").await;
        assert_eq!(listed["anwen"]["state"], "ready");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_formats_of_the_same_weights_say_the_same() {
    let mut texts = Vec::new();
    for format in FORMATS {
        let runtime = runtime_with(format).await;
        let (_, body) = runtime.post("/v1/chat/completions", &ask(12)).await;
        texts.push(body["choices"][0]["message"]["content"].clone());
    }
    assert!(texts[0].is_string());
    // GGUF keeps the rotary halves interleaved, so that equal tables are different models: only the length is comparable.
    assert_eq!(texts[0].as_str().unwrap().len(), texts[1].as_str().unwrap().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_holds_the_words_of_the_whole_answer() {
    let runtime = runtime_with(Format::Gguf).await;
    let (_, whole) = runtime.post("/v1/chat/completions", &ask(10)).await;
    let mut body = ask(10);
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let events = runtime.stream_openai("/v1/chat/completions", &body).await;
    assert_eq!(content_of(&events), whole["choices"][0]["message"]["content"].as_str().unwrap());
    assert!(events.len() > 8, "it comes in parts");
    let usage: Value = serde_json::from_str(&events[events.len() - 2]).unwrap();
    assert_eq!(usage["usage"]["completion_tokens"], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_sequence_ends_the_answer_before_it() {
    let runtime = runtime_with(Format::Gguf).await;
    let (_, whole) = runtime.post("/v1/chat/completions", &ask(20)).await;
    let text = whole["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    let stop = &text[6..8];
    let expected = &text[..text.find(stop).unwrap()];
    let mut body = ask(20);
    body["stop"] = json!([stop]);
    let (_, stopped) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!(stopped["choices"][0]["message"]["content"], expected);
    assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_stops_the_generation() {
    let runtime = runtime_with(Format::Gguf).await;
    let mut body = ask(200);
    body["stream"] = json!(true);
    let (response, _) = read_until(runtime.send("/v1/chat/completions", &body).await, "content\":\"").await;
    drop(response);
    runtime.until_load("tiny", (0, 0)).await;
    let (status, _) = runtime.post("/v1/chat/completions", &ask(4)).await;
    assert_eq!(status, 200, "the engine goes on with the next request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_does_not_fit_is_an_error() {
    let runtime = runtime_with(Format::Gguf).await;
    let mut body = ask(4);
    body["messages"][0]["content"] = json!("x".repeat(CONTEXT));
    let (status, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("context_too_long")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_ends_where_the_context_does() {
    let runtime = runtime_with(Format::Gguf).await;
    let mut body = ask(10_000);
    body["messages"][0]["content"] = json!("x".repeat(CONTEXT - 60));
    let (_, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert!(answer["usage"]["total_tokens"].as_u64().unwrap() <= CONTEXT as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_prompt_is_continued_without_the_template() {
    let runtime = runtime_with(Format::Gguf).await;
    let body = json!({
        "model": "tiny", "prompt": "abc", "raw": true, "stream": false,
        "options": {"num_predict": 5, "temperature": 0},
    });
    let (status, answer) = runtime.post("/api/generate", &body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["prompt_eval_count"], 3);
    assert_eq!(answer["eval_count"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_streams_at_once_are_all_answered() {
    let runtime = runtime_with(Format::Gguf).await;
    let answers =
        all((0..24).map(|_| async { runtime.post("/v1/chat/completions", &ask(6)).await.0 }).collect()).await;
    assert_eq!(answers, vec![200; 24]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unloading_frees_the_model_and_the_next_request_loads_it_again() {
    let runtime = runtime_with(Format::Gguf).await;
    runtime.post("/v1/chat/completions", &ask(2)).await;
    let engine = {
        let loaded = runtime.registry.loaded();
        std::sync::Arc::downgrade(&loaded.iter().find(|model| model.name == "tiny").unwrap().engine)
    };
    assert_eq!(runtime.post("/admin/models/tiny/unload", &json!({})).await.0, 200);
    assert!(engine.upgrade().is_none(), "nothing holds the weights");
    assert_eq!(runtime.post("/v1/chat/completions", &ask(2)).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_unused_for_longest_makes_room() {
    let runtime = Runtime::start(|config| config.max_loaded_models = 1).await;
    write_model(&runtime, Format::Gguf);
    tiny_model::write_gguf(&runtime.models.path().join("other.gguf"));
    let mut other = ask(2);
    other["model"] = json!("other");
    runtime.post("/v1/chat/completions", &ask(2)).await;
    assert_eq!(runtime.post("/v1/chat/completions", &other).await.0, 200);
    let loaded: Vec<String> = runtime.registry.loaded().iter().map(|model| model.name.clone()).collect();
    assert_eq!(loaded, ["extractive", "embedding", "other"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_model_fails_to_load_and_says_so() {
    let runtime = Runtime::start(|_| {}).await;
    let folder = runtime.models.path().join("tiny");
    tiny_model::write_safetensors(&folder);
    std::fs::write(folder.join("model.safetensors"), b"not weights").unwrap();
    let (status, body) = runtime.post("/v1/chat/completions", &ask(2)).await;
    assert_eq!((status, body["error"]["code"].as_str()), (500, Some("model_load_failed")), "{body}");
    let (_, listed) = runtime.get("/v1/models/tiny").await;
    assert_eq!(listed["anwen"]["state"], "failed");
    tiny_model::write_safetensors(&folder);
    assert_eq!(runtime.post("/v1/chat/completions", &ask(2)).await.0, 200, "a repaired file is tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_a_schema_describes_is_generated() {
    let runtime = runtime_with(Format::Gguf).await;
    let mut body = ask(120);
    body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {
        "type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": false}}});
    let (status, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!(status, 200, "{answer}");
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    if answer["choices"][0]["finish_reason"] == "stop" {
        let value: Value = serde_json::from_str(text).unwrap();
        assert!(value["ok"].is_boolean());
    } else {
        assert!(text.trim_start().starts_with('{'), "{text:?}");
    }
}
