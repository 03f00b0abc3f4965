//! What can be done with documents that are there.

use crate::harness::{Backend, World};
use crate::on_each_database;
use anwen_contract::Timestamp;
use anwen_contract::knowledge::{Document, DocumentStatus};
use anwen_knowledge::maintenance::Collector;
use futures::StreamExt as _;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RANGE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

const PUMP: &[u8] = b"# Pumps\n\n## Faults\n\nFault P0300 means that the pump runs dry.\n\n## Care\n\nOil the bearing monthly.\n";

on_each_database! {
    async fn an_original_comes_back_whole_and_in_parts(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Originals").await;
        let id = owner.upload_one(base, "泵.md", PUMP).await;
        world.settled(&owner, id).await;
        let path = format!("/v1/documents/{id}/content");
        let whole = owner.get(&path).await;
        assert_eq!((whole.status, whole.body.as_slice()), (StatusCode::OK, PUMP));
        assert_eq!(whole.headers[CONTENT_TYPE], "text/markdown; charset=utf-8");
        assert_eq!(whole.headers["x-content-type-options"], "nosniff");
        assert!(whole.headers[CONTENT_DISPOSITION].to_str().unwrap().ends_with("filename*=UTF-8''%E6%B3%B5.md"));
        let part = owner.send(owner.request(Method::GET, &path).header(RANGE, "bytes=2-6")).await;
        assert_eq!((part.status, part.body.as_slice()), (StatusCode::PARTIAL_CONTENT, b"Pumps".as_slice()));
        assert_eq!(part.headers[CONTENT_RANGE], format!("bytes 2-6/{}", PUMP.len()));
        let beyond = owner.send(owner.request(Method::GET, &path).header(RANGE, "bytes=9999-")).await;
        assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
        let tag = whole.headers[ETAG].clone();
        let known = owner.send(owner.request(Method::GET, &path).header(IF_NONE_MATCH, tag)).await;
        assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(owner.get(&format!("{path}?version=9")).await.code(), "not_found");
    }

    async fn passages_are_paged_in_reading_order(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Passages").await;
        let text: String = (0..40).map(|number| format!("# Section {number}\n\n{}\n\n", "Words of this section. ".repeat(40))).collect();
        let id = owner.upload_one(base, "long.md", text.as_bytes()).await;
        let document = world.settled(&owner, id).await;
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page: Value = owner.get(&format!("/v1/documents/{id}/chunks?limit=7{cursor}")).await.json();
            seen.extend(page["items"].as_array().unwrap().iter().map(|chunk| chunk["ordinal"].as_i64().unwrap()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, (0..document.chunk_count).collect::<Vec<_>>());
        assert!(document.chunk_count >= 40);
        assert_eq!(owner.get(&format!("/v1/documents/{id}/chunks?cursor=x")).await.code(), "invalid_cursor");
        let first: Value = owner.get(&format!("/v1/documents/{id}/chunks?limit=1")).await.json();
        let chunk_id = first["items"][0]["id"].as_str().unwrap();
        let chunk: Value = owner.get(&format!("/v1/chunks/{chunk_id}")).await.json();
        assert_eq!(chunk, first["items"][0]);
        assert_eq!(chunk["heading_path"], json!(["Section 0"]));
    }

    async fn a_deleted_document_answers_no_more_and_leaves_nothing(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Deleted").await;
        let id = owner.upload_one(base, "pump.md", PUMP).await;
        world.settled(&owner, id).await;
        let chunks: Value = owner.get(&format!("/v1/documents/{id}/chunks")).await.json();
        let chunk = chunks["items"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(owner.found("pump runs dry").await.len(), chunks["items"].as_array().unwrap().len());
        assert_eq!(owner.delete(&format!("/v1/documents/{id}")).await.status, StatusCode::NO_CONTENT);
        assert_eq!(owner.found("pump runs dry").await, Vec::<String>::new());
        assert_eq!(owner.get(&format!("/v1/chunks/{chunk}")).await.code(), "not_found");
        assert_eq!(owner.get(&format!("/v1/documents/{id}/content")).await.code(), "not_found");
        let app = world.service.app();
        let collector = Collector { database: app.database.clone(), originals: app.originals.clone(), data_dir: app.scratch.clone(), config: Arc::clone(&app.config) };
        let later = Timestamp::now().plus_millis(3_600_000);
        let collected = collector.collect(later).await.unwrap();
        assert_eq!((collected.documents, collected.originals), (1, 1));
        assert!(collected.chunks > 0);
        // The same file can come back.
        let again = owner.upload_one(base, "pump.md", PUMP).await;
        assert_eq!(world.settled(&owner, again).await.status, DocumentStatus::Indexed);
    }

    async fn a_deleted_knowledge_base_takes_everything_with_it(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Gone").await;
        let id = owner.upload_one(base, "pump.md", PUMP).await;
        world.settled(&owner, id).await;
        assert_eq!(owner.delete(&format!("/v1/knowledge-bases/{base}")).await.status, StatusCode::NO_CONTENT);
        assert_eq!(owner.found("pump runs dry").await, Vec::<String>::new());
        assert_eq!(owner.get(&format!("/v1/documents/{id}")).await.code(), "not_found");
        assert_eq!(owner.upload(base, &[("x.txt", b"x")]).await.code(), "not_found");
        let app = world.service.app();
        let collector = Collector { database: app.database.clone(), originals: app.originals.clone(), data_dir: app.scratch.clone(), config: Arc::clone(&app.config) };
        let later = Timestamp::now().plus_millis(3_600_000);
        collector.collect(later).await.unwrap();
        // Its name is free again.
        owner.new_base("Gone").await;
        assert_eq!(owner.call(Method::POST, "/v1/knowledge-bases", &json!({"name": "Gone"})).await.code(), "name_taken");
    }

    async fn a_renamed_document_is_found_by_its_new_name(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Renamed").await;
        let id = owner.upload_one(base, "plant/pump.md", PUMP).await;
        let other = owner.upload_one(base, "plant/valve.md", b"Valves close.").await;
        world.settled(&owner, id).await;
        world.settled(&owner, other).await;
        let path = format!("/v1/documents/{id}");
        assert_eq!(owner.call(Method::PATCH, &path, &json!({"name": "valve.md"})).await.code(), "name_taken");
        let renamed: Document = owner.call(Method::PATCH, &path, &json!({"name": "../Zebra.md"})).await.json();
        assert_eq!((renamed.name.as_str(), renamed.path.as_str()), ("Zebra.md", "plant/Zebra.md"));
        let body = json!({"query": "zebra", "mode": "lexical"});
        let name = world.until(|| async {
            let answer: Value = owner.call(Method::POST, "/v1/retrieve", &body).await.json();
            answer["hits"][0]["document_name"].as_str().map(str::to_owned)
        }).await;
        assert_eq!(name, "Zebra.md");
    }

    async fn a_failed_document_can_be_tried_again(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Retried").await;
        let bad = owner.upload_one(base, "empty.txt", b"").await;
        let document = world.settled(&owner, bad).await;
        assert_eq!(document.status, DocumentStatus::Failed);
        let path = format!("/v1/documents/{bad}/retry");
        assert_eq!(owner.send(owner.request(Method::POST, &path)).await.status, StatusCode::ACCEPTED);
        let again = world.settled(&owner, bad).await;
        assert_eq!(again.error.map(|error| error.code).as_deref(), Some("empty_file"));
        let good = owner.upload_one(base, "pump.md", PUMP).await;
        world.settled(&owner, good).await;
        let path = format!("/v1/documents/{good}/retry");
        assert_eq!(owner.send(owner.request(Method::POST, &path)).await.code(), "conflict");
    }

    async fn a_model_that_is_away_delays_a_document_and_fails_none(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Patient").await;
        world.model.is_away.store(true, std::sync::atomic::Ordering::SeqCst);
        let id = owner.upload_one(base, "pump.md", PUMP).await;
        world.until(|| async {
            let document: Document = owner.get(&format!("/v1/documents/{id}")).await.json();
            (document.status == DocumentStatus::Embedding).then_some(())
        }).await;
        world.model.is_away.store(false, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(world.settled(&owner, id).await.status, DocumentStatus::Indexed);
    }

    async fn hits_carry_what_an_answer_cites(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Cited").await;
        let id = owner.upload_one(base, "pump.md", PUMP).await;
        let document = world.settled(&owner, id).await;
        let body = json!({"query": "What does fault P0300 mean?", "top_k": 1});
        let answer: Value = owner.call(Method::POST, "/v1/retrieve", &body).await.json();
        let hit = &answer["hits"][0];
        assert_eq!((hit["document_id"].as_str(), hit["document_name"].as_str()), (Some(id.to_string().as_str()), Some("pump.md")));
        assert_eq!((hit["version"].as_i64(), hit["as_of"].as_str().map(str::len)), (Some(1), Some(24)));
        assert!(hit["text"].as_str().unwrap().contains("P0300"));
        assert!(hit["scores"]["lexical"].as_f64().unwrap() > 0.0 && hit["scores"]["dense"].as_f64().unwrap() > 0.0);
        assert!(answer["relevance"].as_f64().unwrap() > 0.3, "{answer}");
        assert!(answer["took_ms"]["total"].as_f64().unwrap() > 0.0);
        let filters = |filter: Value| json!({"query": "P0300", "filters": filter});
        for (filter, is_found) in [
            (json!({"path_prefix": "pump"}), true),
            (json!({"path_prefix": "valve"}), false),
            (json!({"media_types": ["text/markdown"]}), true),
            (json!({"media_types": ["application/pdf"]}), false),
            (json!({"updated_after": document.created_at.plus_millis(60_000)}), false),
            (json!({"updated_before": document.created_at.plus_millis(60_000)}), true),
        ] {
            let answer: Value = owner.call(Method::POST, "/v1/retrieve", &filters(filter.clone())).await.json();
            assert_eq!(!answer["hits"].as_array().unwrap().is_empty(), is_found, "{filter}");
        }
        for bad in [json!({"query": " "}), json!({"query": "x", "top_k": 0}), json!({"query": "x", "top_k": 101}), json!({"query": "x".repeat(5000)})] {
            assert_eq!(owner.call(Method::POST, "/v1/retrieve", &bad).await.code(), "invalid_request", "{bad}");
        }
    }

    async fn full_text_search_marks_the_words(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Marked").await;
        let id = owner.upload_one(base, "pump.md", PUMP).await;
        world.settled(&owner, id).await;
        let answer: Value = owner.get("/v1/search?q=P0300&limit=3").await.json();
        let marked: Vec<&str> = answer["items"][0]["snippet"].as_array().unwrap().iter()
            .filter(|part| part["matched"] == json!(true))
            .map(|part| part["text"].as_str().unwrap())
            .collect();
        assert_eq!(marked, ["P0300"]);
    }

    async fn events_tell_how_a_document_fares(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Told").await;
        let path = format!("/v1/events/documents?knowledge_base_id={base}");
        let stream = owner.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(stream.headers()[CONTENT_TYPE], "text/event-stream");
        let mut bytes = stream.bytes_stream();
        let id = owner.upload_one(base, "pump.md", PUMP).await;
        let mut told = String::new();
        while !told.contains("\"indexed\"") {
            let piece = tokio::time::timeout(crate::harness::PATIENCE, bytes.next()).await.unwrap().unwrap().unwrap();
            told.push_str(&String::from_utf8_lossy(&piece));
        }
        assert!(told.contains(&id.to_string()));
        owner.delete(&format!("/v1/documents/{id}")).await;
        while !told.contains("\"deleted\":true") {
            let piece = tokio::time::timeout(crate::harness::PATIENCE, bytes.next()).await.unwrap().unwrap().unwrap();
            told.push_str(&String::from_utf8_lossy(&piece));
        }
        // Whoever may no longer read hears no more.
        let heir = world.somebody();
        let grants = json!([{"principal": heir.principal(), "role": "owner"}]);
        assert_eq!(owner.call(Method::PUT, &format!("/v1/knowledge-bases/{base}/grants"), &grants).await.code(), "ok");
        let end = async { while bytes.next().await.is_some() {} };
        tokio::time::timeout(crate::harness::PATIENCE, end).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_parser_answers_tika_calls() {
    let world = World::new(Backend::Sqlite).await;
    let person = world.somebody();
    let request = |accept: &str| person.request(Method::PUT, "/tika").header("accept", accept).body(PUMP);
    let plain = person.send(request("text/plain")).await;
    assert_eq!(plain.status, StatusCode::OK);
    assert!(plain.text().contains("Fault P0300 means that the pump runs dry."));
    assert_eq!(person.send(request("image/png")).await.code(), "invalid_request");
    let object: Value = person.send(person.request(Method::PUT, "/tika/text").body(PUMP)).await.json();
    assert_eq!(object["X-TIKA:content"], plain.text());
    let list: Value = person.send(person.request(Method::PUT, "/rmeta/text").body(PUMP)).await.json();
    assert_eq!(list, json!([object]));
    let empty = person.send(person.request(Method::PUT, "/tika")).await;
    assert_eq!(empty.code(), "empty_file");
}
