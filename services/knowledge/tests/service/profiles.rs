//! How documents are cut: by the profile of their knowledge base, anew when that changes, and for looking at.

use crate::harness::{Backend, Background, Place, World, config};
use crate::on_each_database;
use anwen_contract::chunking::{ChunkPreview, ChunkProfile};
use anwen_contract::knowledge::{Chunk, Document, DocumentStatus, KnowledgeBase};
use anwen_contract::{DocumentId, KnowledgeBaseId, Page};
use anwen_knowledge::rechunk;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const LAW: &[u8] =
    "# 考勤管理办法\n\n第一章 总则\n\n第一条 为规范考勤，制定本办法。\n\n第二条 本办法适用于全体员工。\n\n\
    第二章 请假\n\n第三条 员工请假应当提前申请。\n\n第四条 病假应当提交证明。\n"
        .as_bytes();

async fn chunks(person: &crate::harness::Person<'_>, id: DocumentId) -> Vec<Chunk> {
    let page: Page<Chunk> = person.get(&format!("/v1/documents/{id}/chunks?limit=100")).await.json();
    page.items
}

fn texts(chunks: &[Chunk]) -> Vec<&str> {
    chunks.iter().map(|chunk| chunk.text.as_str()).collect()
}

const ARTICLES: [&str; 4] = [
    "考勤管理办法\n第一章 总则\n第一条 为规范考勤，制定本办法。",
    "第二条 本办法适用于全体员工。",
    "第二章 请假\n第三条 员工请假应当提前申请。",
    "第四条 病假应当提交证明。",
];

async fn base_of(person: &crate::harness::Person<'_>, id: KnowledgeBaseId) -> KnowledgeBase {
    person.get(&format!("/v1/knowledge-bases/{id}")).await.json()
}

on_each_database! {
    async fn a_new_profile_cuts_documents_anew_while_the_old_passages_answer(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Rules").await;
        let id = owner.upload_one(base, "考勤.md", LAW).await;
        world.settled(&owner, id).await;
        let before = chunks(&owner, id).await;
        assert_eq!(before.len(), 1, "{:?}", texts(&before));
        let body = json!({"chunk_profile": "law"});
        let changed = owner.call(Method::PATCH, &format!("/v1/knowledge-bases/{base}"), &body).await;
        let changed: KnowledgeBase = changed.json();
        assert_eq!((changed.chunk_profile, changed.documents_to_rechunk), (ChunkProfile::Law, 1));
        let done = world.until(|| async {
            // Whatever answers is a whole generation.
            let now = chunks(&owner, id).await;
            assert!(texts(&now) == texts(&before) || texts(&now) == ARTICLES, "{:?}", texts(&now));
            assert!(!owner.found("员工请假").await.is_empty());
            let base = base_of(&owner, base).await;
            (base.documents_to_rechunk == 0).then_some(base)
        }).await;

        assert_eq!(done.chunk_profile, ChunkProfile::Law);
        let after = chunks(&owner, id).await;
        assert_eq!(texts(&after), ARTICLES);
        assert_eq!(after[2].heading_path, ["考勤管理办法", "第二章 请假", "第三条"]);
        let document: Document = owner.get(&format!("/v1/documents/{id}")).await.json();
        assert_eq!((document.status, document.version, document.chunk_count), (DocumentStatus::Indexed, 1, 4));
    }

    async fn an_article_is_found_by_its_number_in_every_spelling(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let body = json!({"name": "Law", "chunk_profile": "law"});
        let made = owner.call(Method::POST, "/v1/knowledge-bases", &body).await;
        let base = made.json::<KnowledgeBase>().id;
        let id = owner.upload_one(base, "考勤.md", LAW).await;
        world.settled(&owner, id).await;
        for question in ["第三条", "第3条说了什么", "Article 3"] {
            let body = json!({"query": question, "mode": "lexical"});
            let answer: Value = owner.call(Method::POST, "/v1/retrieve", &body).await.json();
            assert_eq!(answer["hits"][0]["text"], ARTICLES[2], "{question}: {answer}");
        }
    }

    async fn a_preview_shows_both_and_keeps_nothing(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Looked at").await;
        let id = owner.upload_one(base, "考勤.md", LAW).await;
        world.settled(&owner, id).await;
        let before = chunks(&owner, id).await;
        let path = format!("/v1/documents/{id}/chunk-preview");
        let preview = owner.call(Method::POST, &path, &json!({"chunk_profile": "law", "limit": 3})).await;
        let preview: ChunkPreview = preview.json();
        assert_eq!(preview.current.chunk_profile, ChunkProfile::General);
        assert_eq!((preview.current.chunk_count, preview.current.chunks.len()), (1, 1));
        assert_eq!(preview.current.chunks[0].text, before[0].text);
        assert_eq!(preview.current.median_tokens, before[0].tokens);
        assert_eq!((preview.proposed.chunk_count, preview.version), (4, 1));
        let proposed: Vec<&str> = preview.proposed.chunks.iter().map(|chunk| chunk.text.as_str()).collect();
        assert_eq!(proposed, ARTICLES[..3]);
        assert!(preview.proposed.median_tokens > 0);
        assert_eq!(texts(&chunks(&owner, id).await), texts(&before));
        for bad in [json!({"chunk_profile": "law", "limit": 0}), json!({"chunk_profile": "law", "limit": 201}),
            json!({"chunk_profile": "none"}), json!({})] {
            assert_eq!(owner.call(Method::POST, &path, &bad).await.code(), "invalid_request", "{bad}");
        }
        let viewer = world.somebody();
        let grants = json!([{"principal": owner.principal(), "role": "owner"}, {"principal": viewer.principal(), "role": "viewer"}]);
        owner.call(Method::PUT, &format!("/v1/knowledge-bases/{base}/grants"), &grants).await;
        let refused = viewer.call(Method::POST, &path, &json!({"chunk_profile": "law"})).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "forbidden"));
    }

    async fn a_hit_can_be_read_with_its_neighbours(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let body = json!({"name": "Read", "chunk_profile": "law"});
        let base = owner.call(Method::POST, "/v1/knowledge-bases", &body).await.json::<KnowledgeBase>().id;
        let id = owner.upload_one(base, "考勤.md", LAW).await;
        world.settled(&owner, id).await;
        for (read_tokens, expected) in [(0, ARTICLES[3].to_owned()), (4_000, format!("{}\n{}", ARTICLES[2], ARTICLES[3]))] {
            let body = json!({"query": "病假应当提交证明", "top_k": 1, "read_tokens": read_tokens});
            let answer: Value = owner.call(Method::POST, "/v1/retrieve", &body).await.json();
            assert_eq!(answer["hits"][0]["text"], expected, "{read_tokens}");
            assert_eq!(answer["hits"][0]["heading_path"][2], "第四条");
        }
        let body = json!({"query": "x", "read_tokens": 4_001});
        assert_eq!(owner.call(Method::POST, "/v1/retrieve", &body).await.code(), "invalid_request");
    }

    async fn only_documents_at_rest_that_were_cut_otherwise_are_cut_anew(backend: Backend) {
        let place = Place::new(backend).await;
        let world = World::at(&place, config(), Background::Running).await;
        let owner = world.somebody();
        let base = owner.new_base("Stale").await;
        let ids = [("a.md", LAW), ("b.md", b"# B\n\nWords.\n".as_slice())];
        for (name, content) in ids {
            let id = owner.upload_one(base, name, content).await;
            world.settled(&owner, id).await;
        }
        let failed = owner.upload_one(base, "c.md", b"").await;
        assert_eq!(world.settled(&owner, failed).await.status, DocumentStatus::Failed);
        let asker = owner.asker.clone();
        world.shutdown.finish().await;
        drop(world);

        let world = World::at(&place, config(), Background::Stopped).await;
        let (database, signals) = (&world.service.app().database, &world.service.app().signals);
        assert_eq!(rechunk::begin_due(database, signals).await.unwrap().begun, 0);
        let owner = world.person(asker);
        owner.call(Method::PATCH, &format!("/v1/knowledge-bases/{base}"), &json!({"chunk_profile": "page"})).await;
        let due = rechunk::begin_due(database, signals).await.unwrap();
        assert_eq!((due.begun, due.waiting), (2, 0));
        let again = rechunk::begin_due(database, signals).await.unwrap();
        assert_eq!((again.begun, again.waiting), (0, 2));
        // A fresh upload goes first.
        let fresh = owner.upload_one(base, "d.md", b"# D\n\nFresh.\n").await;
        let mut transaction = database.begin_write().await.unwrap();
        let now = anwen_contract::Timestamp::now();
        let job = anwen_knowledge::jobs::store::claim(&mut transaction, database.kind(), "w", now, now).await.unwrap();
        assert_eq!(job.unwrap().document, fresh);
    }
}
