//! What a knowledge base's policy on sensitive content does to its documents.

use crate::harness::{Backend, Person, World};
use crate::on_each_database;
use anwen_contract::chunking::ChunkPreview;
use anwen_contract::knowledge::{Document, DocumentStatus, KnowledgeBase};
use anwen_contract::privacy::{DesensitisationMode, DocumentFindings, SensitiveKind};
use anwen_contract::{DocumentId, KnowledgeBaseId};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const CONTACTS: &str = "# Contacts of project Falcon\n\nZhang San answers at 13912345678 about pumps.\n\n\
    | Name | Passport number |\n|---|---|\n| Li Si | E12345678 |\n";
const HARMLESS: &str = "# Pumps\n\nA pump of standard GB/T 19001-2016 costs 1200 yuan.\n";

async fn with_policy(owner: &Person<'_>, base: KnowledgeBaseId, mode: &str) -> KnowledgeBase {
    let policy = json!({"desensitisation": {"mode": mode, "words": ["Falcon"]}});
    owner.call(Method::PATCH, &format!("/v1/knowledge-bases/{base}"), &policy).await.json()
}

async fn share(owner: &Person<'_>, base: KnowledgeBaseId, others: &[(&Person<'_>, &str)]) {
    let mut grants = vec![json!({"principal": owner.principal(), "role": "owner"})];
    grants.extend(others.iter().map(|(person, role)| json!({"principal": person.principal(), "role": role})));
    let answer = owner.call(Method::PUT, &format!("/v1/knowledge-bases/{base}/grants"), &json!(grants)).await;
    assert_eq!(answer.code(), "ok");
}

async fn passages(person: &Person<'_>, document: DocumentId) -> String {
    person.get(&format!("/v1/documents/{document}/chunks")).await.text()
}

async fn findings(person: &Person<'_>, document: DocumentId) -> DocumentFindings {
    person.get(&format!("/v1/documents/{document}/findings")).await.json()
}

/// Waits until the passages are as wished, and the document is at rest.
async fn until_passages(world: &World, person: &Person<'_>, id: DocumentId, is_right: impl Fn(&str) -> bool) {
    world
        .until(|| async {
            let document: Document = person.get(&format!("/v1/documents/{id}")).await.json();
            let text = passages(person, id).await;
            (document.status.is_final() && is_right(&text)).then_some(())
        })
        .await;
}

on_each_database! {
    async fn a_masking_knowledge_base_answers_with_placeholders_and_keeps_originals_for_editors(backend: Backend) {
        let world = World::new(backend).await;
        let (owner, editor, viewer) = (world.somebody(), world.somebody(), world.somebody());
        let base = owner.new_base("Masked").await;
        with_policy(&owner, base, "mask").await;
        share(&owner, base, &[(&editor, "editor"), (&viewer, "viewer")]).await;
        let id = owner.upload_one(base, "Falcon 13912345678.md", CONTACTS.as_bytes()).await;
        let document = world.settled(&owner, id).await;
        assert_eq!(document.status, DocumentStatus::Indexed, "{:?}", document.error);
        assert!(document.warnings.iter().any(|warning| warning.code == "sensitive_content_masked"), "{document:?}");
        for secret in ["13912345678", "E12345678", "Falcon"] {
            assert!(!passages(&viewer, id).await.contains(secret), "{secret} in the passages");
            for mode in ["hybrid", "dense", "lexical"] {
                let body = json!({"query": format!("{secret} pumps"), "mode": mode});
                let answer = viewer.call(Method::POST, "/v1/retrieve", &body).await;
                assert!(answer.text().contains("pumps") && !answer.text().contains(&format!("\"{secret}")), "{}", answer.text());
                assert!(!answer.text().contains(secret), "{secret} in what {mode} found: {}", answer.text());
            }
        }
        assert!(passages(&viewer, id).await.contains("[phone]"));
        let shown: Document = viewer.get(&format!("/v1/documents/{id}")).await.json();
        assert_eq!((shown.name.as_str(), shown.path.as_str()), ("[withheld] [phone].md", "[withheld] [phone].md"));
        let content = format!("/v1/documents/{id}/content");
        assert_eq!(viewer.get(&content).await.code(), "original_withheld");
        assert_eq!(viewer.get(&content).await.status, StatusCode::FORBIDDEN);
        for person in [&owner, &editor] {
            let whole = person.get(&content).await;
            assert_eq!((whole.status, whole.body.as_slice()), (StatusCode::OK, CONTACTS.as_bytes()));
            let shown: Document = person.get(&format!("/v1/documents/{id}")).await.json();
            assert_eq!(shown.name, "Falcon 13912345678.md");
        }
    }

    async fn a_preview_of_another_profile_shows_placeholders_too(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Previewed").await;
        with_policy(&owner, base, "mask").await;
        let id = owner.upload_one(base, "contacts.md", CONTACTS.as_bytes()).await;
        world.settled(&owner, id).await;
        let path = format!("/v1/documents/{id}/chunk-preview");
        let preview = owner.call(Method::POST, &path, &json!({"chunk_profile": "law"})).await;
        let preview: ChunkPreview = preview.json();
        for side in [&preview.current, &preview.proposed] {
            let shown = serde_json::to_string(side).unwrap();
            assert!(shown.contains("[phone]"), "{shown}");
            assert!(!["13912345678", "E12345678", "Falcon"].iter().any(|value| shown.contains(value)), "{shown}");
        }
    }

    async fn findings_say_what_and_where_and_never_the_value(backend: Backend) {
        let world = World::new(backend).await;
        let (owner, viewer) = (world.somebody(), world.somebody());
        let base = owner.new_base("Flagged").await;
        with_policy(&owner, base, "flag").await;
        share(&owner, base, &[(&viewer, "viewer")]).await;
        let id = owner.upload_one(base, "contacts.md", CONTACTS.as_bytes()).await;
        let document = world.settled(&owner, id).await;
        assert!(document.warnings.iter().any(|warning| warning.code == "sensitive_content_found"));
        assert_eq!(document.finding_count, 3);
        assert!(passages(&viewer, id).await.contains("13912345678"));
        let report = findings(&owner, id).await;
        let kinds: Vec<SensitiveKind> = report.items.iter().map(|item| item.kind).collect();
        assert_eq!(kinds, [SensitiveKind::Word, SensitiveKind::Phone, SensitiveKind::Passport]);
        let text = serde_json::to_string(&report).unwrap();
        assert!(!["13912345678", "E12345678", "Falcon"].iter().any(|value| text.contains(value)), "{text}");
        assert_eq!(viewer.get(&format!("/v1/documents/{id}/findings")).await.code(), "forbidden");
        assert_eq!(owner.get(&format!("/v1/documents/{id}/content")).await.status, StatusCode::OK);
        assert_eq!(viewer.get(&format!("/v1/documents/{id}/content")).await.status, StatusCode::OK);
    }

    async fn a_blocking_knowledge_base_refuses_what_holds_any(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Blocking").await;
        with_policy(&owner, base, "block").await;
        let refused = owner.upload_one(base, "contacts.md", CONTACTS.as_bytes()).await;
        let taken = owner.upload_one(base, "pumps.md", HARMLESS.as_bytes()).await;
        let document = world.settled(&owner, refused).await;
        let error = document.error.unwrap();
        assert_eq!((document.status, error.code.as_str()), (DocumentStatus::Failed, "sensitive_content"));
        assert!(!error.message.contains("13912345678"), "{}", error.message);
        assert_eq!(findings(&owner, refused).await.counts.values().sum::<i64>(), 3);
        assert_eq!(passages(&owner, refused).await, r#"{"items":[],"next_cursor":null}"#);
        let document = world.settled(&owner, taken).await;
        assert_eq!((document.status, document.finding_count), (DocumentStatus::Indexed, 0));
    }

    async fn another_policy_reads_every_document_anew(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Changing").await;
        let id = owner.upload_one(base, "contacts.md", CONTACTS.as_bytes()).await;
        assert_eq!(world.settled(&owner, id).await.finding_count, 0);
        assert!(passages(&owner, id).await.contains("13912345678"));
        with_policy(&owner, base, "mask").await;
        until_passages(&world, &owner, id, |text| text.contains("[phone]")).await;
        assert!(!passages(&owner, id).await.contains("13912345678"));
        // What has answered answers no more.
        with_policy(&owner, base, "block").await;
        world.until(|| async {
            let document: Document = owner.get(&format!("/v1/documents/{id}")).await.json();
            document.error.is_some_and(|error| error.code == "sensitive_content").then_some(())
        }).await;
        assert_eq!(passages(&owner, id).await, r#"{"items":[],"next_cursor":null}"#);
        assert_eq!(owner.found("pumps").await, Vec::<String>::new());
        // What was refused is taken again.
        with_policy(&owner, base, "off").await;
        until_passages(&world, &owner, id, |text| text.contains("13912345678")).await;
        assert_eq!(world.settled(&owner, id).await.finding_count, 0);
    }

    async fn the_words_of_a_policy_are_for_editors(backend: Backend) {
        let world = World::new(backend).await;
        let (owner, viewer) = (world.somebody(), world.somebody());
        let base = owner.new_base("Words").await;
        let changed = with_policy(&owner, base, "flag").await;
        assert_eq!((changed.desensitisation.mode, changed.desensitisation.words), (DesensitisationMode::Flag, vec!["Falcon".to_owned()]));
        share(&owner, base, &[(&viewer, "viewer")]).await;
        let path = format!("/v1/knowledge-bases/{base}");
        let seen: KnowledgeBase = viewer.get(&path).await.json();
        assert_eq!((seen.desensitisation.mode, seen.desensitisation.words.len()), (DesensitisationMode::Flag, 0));
        assert!(!viewer.get("/v1/knowledge-bases").await.text().contains("Falcon"));
        let long = json!({"desensitisation": {"mode": "mask", "words": ["x".repeat(101)]}});
        assert_eq!(owner.call(Method::PATCH, &path, &long).await.code(), "invalid_request");
        let unknown: Value = json!({"desensitisation": {"mode": "hide"}});
        assert_ne!(owner.call(Method::PATCH, &path, &unknown).await.code(), "ok");
    }
}
