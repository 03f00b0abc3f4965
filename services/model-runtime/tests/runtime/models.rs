//! Listings, loading and unloading.

use serde_json::json;

use crate::support::Runtime;

#[tokio::test]
async fn what_is_part_of_the_program_is_always_listed() {
    let runtime = Runtime::start(|_| {}).await;
    let (_, body) = runtime.get("/v1/models").await;
    let ids: Vec<&str> =
        body["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["extractive", "embedding"]);
}

#[tokio::test]
async fn the_scripted_engine_is_listed_only_when_a_setting_asks() {
    let runtime = Runtime::start(|config| config.enable_stub = true).await;
    let (_, body) = runtime.get("/admin/models").await;
    assert!(body["models"].as_array().unwrap().iter().any(|model| model["id"] == "stub"));
}

#[tokio::test]
async fn admin_shows_capabilities_state_and_queue() {
    let runtime = Runtime::start(|_| {}).await;
    let (_, body) = runtime.get("/admin/models").await;
    let models = body["models"].as_array().unwrap();
    let embedding = models.iter().find(|model| model["id"] == "embedding").unwrap();
    assert_eq!(embedding["dimensions"], 512);
    assert_eq!(embedding["state"], "ready");
    assert_eq!(embedding["queue"], json!({"running": 0, "waiting": 0, "capacity": 64}));
    let extractive = models.iter().find(|model| model["id"] == "extractive").unwrap();
    assert_eq!(extractive["capabilities"]["quotes"], true);
}

#[tokio::test]
async fn a_model_dropped_into_the_directory_is_found_without_a_restart() {
    let runtime = Runtime::start(|_| {}).await;
    assert_eq!(runtime.get("/v1/models/second").await.0, 404);
    let bundled = crate::support::bundled_models().join("embedding");
    std::os::unix::fs::symlink(bundled, runtime.models.path().join("second")).unwrap();
    assert_eq!(runtime.get("/v1/models/second").await.0, 200);
    let (status, body) = runtime.post("/v1/embeddings", &json!({"model": "second", "input": "x"})).await;
    assert_eq!((status, body["model"].as_str()), (200, Some("second")));
    assert_eq!(runtime.post("/admin/models/second/unload", &json!({})).await.0, 200);
    assert!(runtime.registry.loaded().iter().all(|model| model.name != "second"));
}

#[tokio::test]
async fn what_is_part_of_the_program_is_not_unloaded() {
    let runtime = Runtime::start(|_| {}).await;
    assert_eq!(runtime.post("/admin/models/embedding/unload", &json!({})).await.0, 400);
    assert_eq!(runtime.post("/admin/models/nowhere/unload", &json!({})).await.0, 404);
}

#[tokio::test]
async fn aliases_and_ollamas_tag_name_the_same_model() {
    let runtime = Runtime::start(|config| {
        drop(config.aliases.insert("text-embedding-3-small".into(), "embedding".into()))
    })
    .await;
    for name in ["embedding", "embedding:latest", "text-embedding-3-small", "Embedding"] {
        let (status, body) = runtime.post("/v1/embeddings", &json!({"model": name, "input": "x"})).await;
        assert_eq!((status, body["model"].as_str()), (200, Some("embedding")), "{name}");
    }
}

#[tokio::test]
async fn a_runtime_without_the_bundled_embedding_runs_and_says_so() {
    let runtime = Runtime::start(|_| {}).await;
    assert_eq!(runtime.get("/readyz").await.0, 200);
    let empty = tempfile::tempdir().unwrap();
    let service = anwen_model_runtime::build(
        anwen_model_runtime::Config::default(),
        empty.path(),
        runtime.tokens.clone(),
    )
    .await;
    assert!(service.registry().loaded().iter().all(|model| model.name != "embedding"));
}
