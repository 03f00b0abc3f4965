//! The quoting answerer over HTTP, as web calls it.

use serde_json::{Value, json};

use crate::support::{Runtime, content_of};

fn handbook() -> Value {
    json!([
        {"n": 1, "title": "员工手册", "score": 0.9, "text":
            "公司实行标准工时制度。员工入职满一年后，每年享有10天带薪年假。年假须提前三天申请。"},
        {"n": 2, "title": "Travel policy", "score": 0.4, "text":
            "Employees book flights through the travel desk. Economy class is the rule for flights under six hours. \
             Receipts are handed in within 30 days."},
        {"n": 3, "title": "价格表", "score": 0.3, "text":
            "| 型号 | 价格 |\n|---|---|\n| A100 | 2300 元 |\n| B200 | 4100 元 |"},
    ])
}

fn request(question: &str, documents: &Value) -> Value {
    json!({
        "model": "extractive",
        "messages": [{"role": "system", "content": "…"}, {"role": "user", "content": question}],
        "documents": documents,
    })
}

async fn answer(question: &str) -> Value {
    let runtime = Runtime::start(|_| {}).await;
    let (status, body) = runtime.post("/v1/chat/completions", &request(question, &handbook())).await;
    assert_eq!(status, 200, "{body}");
    body
}

fn content(body: &Value) -> &str {
    body["choices"][0]["message"]["content"].as_str().unwrap()
}

/// Without citations, every line stands in a document.
fn assert_verbatim(text: &str) {
    let documents = handbook();
    let texts: Vec<&str> =
        documents.as_array().unwrap().iter().map(|document| document["text"].as_str().unwrap()).collect();
    let quotes = text.replace("[1]", "\n").replace("[2]", "\n").replace("[3]", "\n");
    for line in quotes.lines().map(str::trim).filter(|line| !line.is_empty()) {
        assert!(texts.iter().any(|text| text.contains(line)), "{line:?} stands in no document");
    }
}

#[tokio::test]
async fn a_chinese_question_is_answered_in_the_documents_words() {
    let body = answer("年假有多少天？").await;
    assert!(
        content(&body).contains("每年享有10天带薪年假。") && content(&body).ends_with("[1]"),
        "{}",
        content(&body)
    );
    assert_verbatim(content(&body));
    assert_eq!(body["anwen"]["outcome"], "quoted");
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert!(body["usage"]["prompt_tokens"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn an_english_question_is_answered_in_the_documents_words() {
    let body = answer("Which class do we fly on short flights?").await;
    assert!(
        content(&body).contains("Economy class is the rule for flights under six hours. [2]"),
        "{}",
        content(&body)
    );
    assert_verbatim(content(&body));
}

#[tokio::test]
async fn a_table_row_is_quoted_whole_with_its_head() {
    let body = answer("B200 的价格是多少？").await;
    assert!(
        content(&body).contains("| 型号 | 价格 |\n|---|---|\n| B200 | 4100 元 |\n\n[3]"),
        "{}",
        content(&body)
    );
}

#[tokio::test]
async fn a_question_in_another_language_finds_its_passage() {
    let body = answer("How many days of paid annual leave do employees get?").await;
    assert!(content(&body).contains("10天带薪年假"), "{}", content(&body));
}

#[tokio::test]
async fn what_no_passage_answers_is_not_found() {
    let body = answer("How do volcanoes erupt on Jupiter's moons?").await;
    assert_eq!(content(&body), "");
    assert_eq!(body["anwen"]["outcome"], "not_found");
    let runtime = Runtime::start(|_| {}).await;
    let (_, body) = runtime.post("/v1/chat/completions", &request("年假有多少天？", &json!([]))).await;
    assert_eq!(body["anwen"]["outcome"], "not_found");
}

#[tokio::test]
async fn a_stream_holds_the_same_words_and_ends_with_the_outcome() {
    let runtime = Runtime::start(|_| {}).await;
    let mut body = request("年假有多少天？", &handbook());
    let (_, whole) = runtime.post("/v1/chat/completions", &body).await;
    body["stream"] = json!(true);
    let events = runtime.stream_openai("/v1/chat/completions", &body).await;
    assert_eq!(content_of(&events), content(&whole));
    assert_eq!(events.last().unwrap(), "[DONE]");
    let last: Value = serde_json::from_str(&events[events.len() - 2]).unwrap();
    assert_eq!(last["anwen"]["outcome"], "quoted");
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn the_typed_client_reads_the_stream() {
    use anwen_contract::client::{Audience, CallContext, ModelClient, ServiceClient};
    use anwen_contract::model::{ChatRequest, ChatTurn, QuotableDocument};
    use anwen_contract::{Asker, UserId};
    use futures::StreamExt as _;
    use std::sync::Arc;

    let runtime = Runtime::start(|config| config.allow_loopback_clients = false).await;
    let service = ServiceClient::new(
        runtime.url("/").parse().unwrap(),
        reqwest::Client::new(),
        Arc::new(runtime.tokens.clone()),
        Audience::ModelRuntime,
    );
    let client = ModelClient::new(service);
    let asker =
        Asker { user_id: UserId::new(), groups: Vec::new(), is_admin: false, only_knowledge_bases: None };
    let context = CallContext::new(asker, "test-1");
    let body = ChatRequest {
        model: "extractive".into(),
        messages: vec![ChatTurn::new("user", "年假有多少天？")],
        stream: true,
        stream_options: None,
        max_tokens: None,
        temperature: None,
        seed: None,
        documents: serde_json::from_value::<Vec<QuotableDocument>>(handbook()).unwrap(),
    };
    let chunks: Vec<_> = client.chat(&context, &body).await.unwrap().collect().await;
    let text: String = chunks
        .iter()
        .flat_map(|chunk| {
            chunk.as_ref().unwrap().choices.iter().filter_map(|choice| choice.delta.content.clone())
        })
        .collect();
    assert!(text.contains("10天带薪年假"), "{text}");
    let vectors = client.embed(&context, "embedding", &["年假".into(), "leave".into()]).await.unwrap();
    assert_eq!((vectors.len(), vectors[0].len()), (2, 512));
}

#[tokio::test]
async fn too_many_passages_and_no_question_are_refused() {
    let runtime = Runtime::start(|config| config.max_documents = 2).await;
    assert_eq!(runtime.post("/v1/chat/completions", &request("年假？", &handbook())).await.0, 400);
    let silent = json!({"model": "extractive", "messages": [{"role": "assistant", "content": "hello"}]});
    assert_eq!(runtime.post("/v1/chat/completions", &silent).await.0, 400);
}
