//! Loading within the memory that there is, and when models go.

use std::time::Duration;

use anwen_model_runtime::Config;
use serde_json::{Value, json};

use crate::support::Runtime;
use crate::tiny_model;

async fn with_models(names: &[&str], change: impl FnOnce(&mut Config)) -> Runtime {
    let runtime = Runtime::start(change).await;
    for name in names {
        tiny_model::write_gguf(&runtime.models.path().join(format!("{name}.gguf")));
    }
    runtime
}

fn is_loaded(runtime: &Runtime, name: &str) -> bool {
    runtime.registry.loaded().iter().any(|model| model.name == name)
}

async fn until_unloaded(runtime: &Runtime, name: &str) {
    let gone = async {
        while is_loaded(runtime, name) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), gone).await.is_ok(), "{name} stays");
}

async fn load(runtime: &Runtime, name: &str, body: Value) -> (u16, Value) {
    runtime.post(&format!("/admin/models/{name}/load"), &body).await
}

fn generate(model: &str, keep_alive: Value) -> Value {
    json!({"model": model, "prompt": "hello", "stream": false, "keep_alive": keep_alive, "options": {"num_predict": 2}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_does_not_fit_is_refused_with_the_numbers() {
    let runtime = with_models(&["tiny"], |config| {
        config.memory_limit_bytes = 1024 * 1024;
        config.memory_reserve_bytes = 0;
    })
    .await;
    let (status, body) = load(&runtime, "tiny", json!({})).await;
    assert_eq!((status, body["error"]["code"].as_str()), (507, Some("model_too_large")), "{body}");
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains("1048576 can be had") && message.contains("256 tokens"), "{message}");
    assert!(!is_loaded(&runtime, "tiny"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_unused_for_longest_makes_room_and_a_pinned_one_does_not() {
    let runtime = with_models(&["one", "two", "three"], |config| config.max_loaded_models = 2).await;
    for (name, body) in [("one", json!({"pin": true})), ("two", json!({})), ("three", json!({}))] {
        assert_eq!(load(&runtime, name, body).await.0, 200, "{name}");
    }
    assert_eq!(["one", "two", "three"].map(|name| is_loaded(&runtime, name)), [true, false, true]);
    assert_eq!(load(&runtime, "three", json!({"pin": true})).await.1["pinned"], true);
    let (status, body) = load(&runtime, "two", json!({})).await;
    assert_eq!(status, 400, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_not_to_be_kept_goes_when_its_answer_has_ended() {
    let runtime = with_models(&["tiny"], |_| {}).await;
    let (status, body) = runtime.post("/api/generate", &generate("tiny", json!(0))).await;
    assert_eq!(status, 200, "{body}");
    until_unloaded(&runtime, "tiny").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_listed_with_its_memory_and_its_end() {
    let runtime = with_models(&["tiny"], |_| {}).await;
    let (_, loaded) = load(&runtime, "tiny", json!({"keep_alive": "10m"})).await;
    assert!(loaded["memory_bytes"].as_u64().unwrap() > 1_000_000, "{loaded}");
    let (_, running) = runtime.get("/api/ps").await;
    let models = running["models"].as_array().unwrap();
    let tiny = models.iter().find(|model| model["name"] == "tiny:latest").unwrap();
    assert_eq!(tiny["size"], loaded["memory_bytes"]);
    assert!(tiny["expires_at"].is_string());
    let (_, pinned) = load(&runtime, "tiny", json!({"pin": true})).await;
    assert_eq!(pinned["expires_at"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_larger_context_loads_the_model_again_and_a_smaller_one_does_not() {
    let runtime = with_models(&["tiny"], |config| config.context_tokens = 128).await;
    let context = |body: &Value| {
        let models = body["models"].as_array().unwrap();
        models.iter().find(|model| model["id"] == "tiny").unwrap()["context_tokens"].clone()
    };
    let asked = [(None, 128), (Some(64), 128), (Some(200), 200), (Some(150), 200)];
    for (wanted, expected) in asked.into_iter().chain([(Some(100_000), tiny_model::CONTEXT)]) {
        let (status, body) = load(&runtime, "tiny", json!({"context_tokens": wanted})).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(context(&runtime.get("/admin/models").await.1), json!(expected), "{wanted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_whose_file_has_changed_is_loaded_anew() {
    let runtime = with_models(&["tiny"], |_| {}).await;
    assert_eq!(load(&runtime, "tiny", json!({})).await.0, 200);
    runtime.registry.unload_changed().await;
    assert!(is_loaded(&runtime, "tiny"), "nothing has changed");
    let file = runtime.models.path().join("tiny.gguf");
    let changed = std::fs::File::options().append(true).open(&file).unwrap();
    changed.set_modified(std::time::SystemTime::now() + Duration::from_secs(60)).unwrap();
    runtime.registry.unload_changed().await;
    assert!(!is_loaded(&runtime, "tiny"));
}
