//! OpenAI's chat interface, with the scripted engine.

use std::time::Duration;

use anwen_model_runtime::{Config, StubScript};
use serde_json::{Value, json};

use crate::support::{Runtime, content_of, read_until};

fn stub(config: &mut Config) {
    config.enable_stub = true;
    config.stub.tokens = 5;
    config.stub.scripts = vec![
        StubScript { contains: "capital".into(), answer: "Paris is it.".into(), fails: false },
        StubScript { contains: "crash".into(), answer: "half an ".into(), fails: true },
    ];
}

fn ask(question: &str) -> Value {
    json!({"model": "stub", "messages": [{"role": "user", "content": question}]})
}

#[tokio::test]
async fn a_whole_answer_has_openais_shape() {
    let runtime = Runtime::start(stub).await;
    let (status, body) = runtime.post("/v1/chat/completions", &ask("the capital?")).await;
    assert_eq!(status, 200);
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["choices"][0]["message"], json!({"role": "assistant", "content": "Paris is it."}));
    assert_eq!(
        body["usage"],
        json!({"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 0}})
    );
}

#[tokio::test]
async fn a_stream_has_role_words_end_and_usage() {
    let runtime = Runtime::start(stub).await;
    let mut body = ask("the capital?");
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let events = runtime.stream_openai("/v1/chat/completions", &body).await;
    let chunks: Vec<Value> =
        events[..events.len() - 1].iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(content_of(&events), "Paris is it.");
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "stop");
    assert_eq!(chunks[chunks.len() - 1]["usage"]["completion_tokens"], 3);
    assert_eq!(events.last().unwrap(), "[DONE]");
}

#[tokio::test]
async fn content_parts_of_text_are_read() {
    let runtime = Runtime::start(stub).await;
    let body = json!({"model": "stub", "messages": [{"role": "user", "content": [{"type": "text", "text": "capital"}]}]});
    let (_, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "Paris is it.");
}

#[tokio::test]
async fn max_tokens_ends_an_answer() {
    let runtime = Runtime::start(stub).await;
    let mut body = ask("the capital?");
    body["max_tokens"] = json!(2);
    let (_, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "Paris is ");
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
}

#[tokio::test]
async fn what_cannot_be_honoured_is_refused() {
    let runtime = Runtime::start(stub).await;
    for (field, value) in [
        ("n", json!(1000)),
        ("surprise", json!(1)),
        ("modalities", json!(["audio"])),
        ("top_logprobs", json!(2)),
        ("logit_bias", json!({"word": 1})),
        ("tools", json!([{"type": "function"}])),
        ("tool_choice", json!("required")),
        ("functions", json!([{"name": "f"}])),
        ("response_format", json!({"type": "xml"})),
        ("reasoning_effort", json!("extreme")),
        ("chat_template_kwargs", json!({"custom": 1})),
        ("max_tokens", json!(0)),
        ("messages", json!([])),
        ("messages", json!([{"role": "wizard", "content": "x"}])),
        (
            "messages",
            json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]),
        ),
        ("temperature", json!("hot")),
    ] {
        let mut body = ask("x");
        body[field] = value;
        let (status, answer) = runtime.post("/v1/chat/completions", &body).await;
        assert_eq!(
            (status, answer["error"]["type"].as_str()),
            (400, Some("invalid_request_error")),
            "{body}"
        );
    }
    let answer =
        reqwest::Client::new().post(runtime.url("/v1/chat/completions")).body("{").send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["code"], "invalid_json");
}

#[tokio::test]
async fn models_that_are_not_there_or_do_not_chat_are_named() {
    let runtime = Runtime::start(stub).await;
    for (model, status, code) in
        [("nowhere", 404, "model_not_found"), ("embedding", 400, "model_not_capable")]
    {
        let mut body = ask("x");
        body["model"] = json!(model);
        let (answered, answer) = runtime.post("/v1/chat/completions", &body).await;
        assert_eq!((answered, answer["error"]["code"].as_str()), (status, Some(code)));
    }
}

#[tokio::test]
async fn a_failure_in_mid_stream_comes_as_an_error_event() {
    let runtime = Runtime::start(stub).await;
    let mut body = ask("crash");
    assert_eq!(runtime.post("/v1/chat/completions", &body).await.0, 500);
    body["stream"] = json!(true);
    let events = runtime.stream_openai("/v1/chat/completions", &body).await;
    let error: Value = serde_json::from_str(&events[events.len() - 2]).unwrap();
    assert_eq!(error["error"]["code"], "generation_failed");
    assert!(!error.to_string().contains("scripted"), "the cause is for the log");
}

#[tokio::test]
async fn a_client_that_goes_frees_its_slot() {
    let runtime = Runtime::start(|config| {
        stub(config);
        config.stub.tokens = 1_000_000;
        config.stub.token_delay_ms = 5;
    })
    .await;
    let mut body = ask("go on");
    body["stream"] = json!(true);
    body["max_tokens"] = json!(1_000_000);
    let (response, _) = read_until(runtime.send("/v1/chat/completions", &body).await, "beta").await;
    assert_eq!(runtime.load_of("stub"), (1, 0));
    drop(response);
    runtime.until_load("stub", (0, 0)).await;
}

#[tokio::test]
async fn a_full_queue_refuses_and_a_waiting_request_hears_its_position() {
    let runtime = Runtime::start(|config| {
        stub(config);
        config.queue_capacity = 1;
        config.stub.concurrency = 1;
        config.stub.tokens = 1_000_000;
        config.stub.token_delay_ms = 5;
    })
    .await;
    let mut endless = ask("go on");
    endless["stream"] = json!(true);
    endless["max_tokens"] = json!(1_000_000);
    let (running, _) = read_until(runtime.send("/v1/chat/completions", &endless).await, "beta").await;
    let mut short = ask("the capital?");
    short["stream"] = json!(true);
    let (mut waiting, heard) =
        read_until(runtime.send("/v1/chat/completions", &short).await, "queue_position").await;
    assert!(heard.contains("\"queue_position\":0"), "{heard}");
    let refused = runtime.send("/v1/chat/completions", &short).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    drop(running);
    let mut rest = String::new();
    while let Some(part) = waiting.chunk().await.unwrap() {
        rest.push_str(&String::from_utf8_lossy(&part));
    }
    assert!(rest.contains("Paris"), "{rest}");
}

#[tokio::test]
async fn waiting_ends_at_the_deadline() {
    let runtime = Runtime::start(|config| {
        stub(config);
        config.queue_timeout_seconds = 0;
        config.stub.concurrency = 1;
        config.stub.first_token_delay_ms = 60_000;
    })
    .await;
    let mut endless = ask("go on");
    endless["stream"] = json!(true);
    let running = runtime.send("/v1/chat/completions", &endless).await;
    runtime.until_load("stub", (1, 0)).await;
    let answer =
        tokio::time::timeout(Duration::from_secs(20), runtime.post("/v1/chat/completions", &ask("x"))).await;
    assert_eq!(answer.unwrap().0, 504);
    drop(running);
}

#[tokio::test]
async fn the_default_model_quotes_when_no_other_is_loaded() {
    let runtime = Runtime::start(|_| {}).await;
    let mut body = ask("x?");
    body["model"] = json!("default");
    let (status, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!((status, answer["model"].as_str()), (200, Some("extractive")));
}

fn tools() -> Value {
    let tool = |name: &str| {
        json!({"type": "function", "function": {"name": name, "parameters": {
            "type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}}})
    };
    json!([tool("weather"), tool("time")])
}

#[tokio::test]
async fn several_answers_have_places_of_their_own() {
    let runtime = Runtime::start(stub).await;
    let mut body = ask("go on");
    body["n"] = json!(3);
    body["seed"] = json!(1);
    let (_, answer) = runtime.post("/v1/chat/completions", &body).await;
    let texts: Vec<&str> =
        (0..3).filter_map(|n| answer["choices"][n]["message"]["content"].as_str()).collect();
    assert_eq!(texts[0].split(' ').next(), Some("beta"), "{answer}");
    assert_eq!(texts[2].split(' ').next(), Some("delta"));
    assert_eq!(answer["usage"]["completion_tokens"], 15);
}

#[tokio::test]
async fn streams_of_several_answers_are_told_apart() {
    let runtime = Runtime::start(stub).await;
    let mut body = ask("the capital?");
    body["n"] = json!(2);
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let events = runtime.stream_openai("/v1/chat/completions", &body).await;
    let chunks: Vec<Value> = events.iter().filter_map(|event| serde_json::from_str(event).ok()).collect();
    for index in 0..2 {
        let mine = chunks.iter().flat_map(|chunk| chunk["choices"].as_array().unwrap());
        let mine = mine.filter(|choice| choice["index"] == index);
        let text: String =
            mine.filter_map(|choice| choice["delta"]["content"].as_str().map(str::to_owned)).collect();
        assert_eq!(text, "Paris is it.");
    }
    assert_eq!(chunks.last().unwrap()["usage"]["completion_tokens"], 6);
}

#[tokio::test]
async fn more_answers_than_the_queue_holds_are_refused_and_leave_no_slot_taken() {
    let runtime = Runtime::start(|config| {
        stub(config);
        config.stub.concurrency = 1;
        config.queue_capacity = 1;
    })
    .await;
    let mut body = ask("go on");
    body["n"] = json!(3);
    assert_eq!(runtime.post("/v1/chat/completions", &body).await.0, 503);
    runtime.until_load("stub", (0, 0)).await;
}

#[tokio::test]
async fn a_called_tool_has_openais_shape() {
    let runtime = Runtime::start(stub).await;
    let mut body = ask("go on");
    body["tools"] = tools();
    let (_, answer) = runtime.post("/v1/chat/completions", &body).await;
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], Value::Null);
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!(call["function"], json!({"name": "weather", "arguments": "{\"place\":\"alpha\"}"}));
    body["tool_choice"] = json!("none");
    let (_, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn a_model_without_tools_or_eyes_says_so() {
    let runtime = Runtime::start(stub).await;
    let mut body = ask("go on");
    body["model"] = json!("extractive");
    body["tools"] = tools();
    let (status, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("model_not_capable")));
    let picture = json!({"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlh"}});
    let body = json!({"model": "extractive", "messages": [{"role": "user", "content": [picture]}]});
    let (status, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("model_not_capable")));
}

#[tokio::test]
async fn probabilities_thinking_and_schemas_reach_the_engine() {
    let runtime = Runtime::start(stub).await;
    let mut body = ask("the capital?");
    body["logprobs"] = json!(true);
    body["top_logprobs"] = json!(1);
    body["reasoning_effort"] = json!("high");
    let (_, answer) = runtime.post("/v1/chat/completions", &body).await;
    let choice = &answer["choices"][0];
    assert_eq!(choice["logprobs"]["content"].as_array().unwrap().len(), 3);
    assert_eq!(choice["message"]["reasoning_content"], "Let me think.");
    let mut body = ask("go on");
    body["response_format"] =
        json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"const": 7}}});
    let (_, answer) = runtime.post("/v1/chat/completions", &body).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "7");
}

#[tokio::test]
async fn completions_take_texts_and_tokens() {
    let runtime = Runtime::start(stub).await;
    let ask = |prompt: Value| json!({"model": "stub", "prompt": prompt, "max_tokens": 50});
    for (prompt, choices, tokens) in [
        (json!("the capital"), 1, 2),
        (json!(["a b", "c"]), 2, 3),
        (json!([1, 2]), 1, 2),
        (json!([[1], [2, 3]]), 2, 3),
    ] {
        let (status, answer) = runtime.post("/v1/completions", &ask(prompt.clone())).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["choices"].as_array().unwrap().len(), choices, "{prompt}");
        assert_eq!(answer["usage"]["prompt_tokens"], tokens, "{prompt}");
    }
    for (field, value) in [
        ("best_of", json!(3)),
        ("prompt", json!([])),
        ("n", json!(9)),
        ("logprobs", json!(6)),
        ("surprise", json!(1)),
    ] {
        let mut body = ask(json!("x"));
        body[field] = value;
        assert_eq!(runtime.post("/v1/completions", &body).await.0, 400, "{body}");
    }
}

#[tokio::test]
async fn rerank_orders_documents_by_relevance() {
    let runtime = Runtime::start(stub).await;
    let body = json!({"model": "stub", "query": "a b", "documents": ["c", {"text": "a b"}, "a"], "top_n": 2});
    let (_, answer) = runtime.post("/v1/rerank", &body).await;
    let order: Vec<u64> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["index"].as_u64().unwrap())
        .collect();
    assert_eq!(order, [1, 2]);
}
