//! The stores' promises, the same on both databases.

use crate::harness::{Backend, Place};
use crate::on_each_database;
use anwen_contract::knowledge::{BoundingBox, DocumentStatus, Grant, LineBox};
use anwen_contract::{Asker, DocumentId, KnowledgeBaseId, Principal, Role, Timestamp, UserId, VersionId};
use anwen_knowledge::access::Access;
use anwen_knowledge::bases::store::{self as bases, NewBase};
use anwen_knowledge::documents::chunks::NewChunk;
use anwen_knowledge::documents::chunks::store::{self as chunks, ChunkOwner, PageStart};
use anwen_knowledge::documents::store::{self as documents, NewVersion, Serving};
use anwen_knowledge::follow::{self, Entry};
use anwen_knowledge::index::SearchScope;
use anwen_knowledge::jobs::{NewJob, store as jobs};
use anwen_knowledge::store::reader;
use anwen_platform::Database;

/// A database with one knowledge base, one document and one version.
struct Library {
    _place: Place,
    database: Database,
    access: Access,
    base: KnowledgeBaseId,
    document: DocumentId,
    version: VersionId,
}

const NOW: Timestamp = Timestamp(1_700_000_000_000);

impl Library {
    async fn new(backend: Backend) -> Self {
        let place = Place::new(backend).await;
        let database = place.database().await;
        let asker =
            Asker { user_id: UserId::new(), groups: vec![], is_admin: false, only_knowledge_bases: None };
        let (base, document, version) = (KnowledgeBaseId::new(), DocumentId::new(), VersionId::new());
        let mut transaction = database.begin_write().await.unwrap();
        let new = NewBase {
            id: base,
            name: "Library".into(),
            description: String::new(),
            language: "auto".into(),
            embedding_model: "embedding".into(),
            chunk_profile: Default::default(),
            created_by: asker.user_id,
            now: NOW,
        };
        bases::insert(&mut transaction, &new).await.unwrap();
        let owner = Grant { principal: Principal::User(asker.user_id), role: Role::Owner };
        bases::replace_grants(&mut transaction, base, &[owner]).await.unwrap();
        documents::register_original(&mut transaction, "aa", 3, NOW).await.unwrap();
        documents::insert_document(&mut transaction, document, base, ("a.md", "a.md"), version, NOW)
            .await
            .unwrap();
        let new = NewVersion {
            id: version,
            document,
            number: 1,
            sha256: Some("aa".into()),
            bytes: 3,
            media_type: "text/markdown".into(),
            error: None,
            created_by: asker.user_id,
            now: NOW,
        };
        documents::insert_version(&mut transaction, &new).await.unwrap();
        transaction.commit().await.unwrap();
        Self { _place: place, database, access: Access::from(&asker), base, document, version }
    }

    fn job(&self, priority: i64) -> NewJob {
        NewJob {
            version: self.version,
            document: self.document,
            base: self.base,
            generation: 1,
            priority,
            sealed_password: None,
            now: NOW,
        }
    }

    fn owner(&self, generation: i64) -> ChunkOwner {
        ChunkOwner { base: self.base, document: self.document, version: self.version, generation }
    }

    async fn write(&self, generation: i64, texts: &[&str]) {
        let new: Vec<NewChunk> = texts.iter().map(|text| chunk(text)).collect();
        let mut transaction = self.database.begin_write().await.unwrap();
        documents::settle_space(&mut transaction, self.base, "space-2-x").await.unwrap();
        chunks::replace_generation(&mut transaction, &self.owner(generation), &new).await.unwrap();
        transaction.commit().await.unwrap();
    }

    async fn serve(&self, generation: i64, chunk_count: i64) {
        let serving = Serving { version: self.version, number: 1, generation, chunk_count };
        let mut transaction = self.database.begin_write().await.unwrap();
        documents::serve(&mut transaction, self.document, &serving, NOW).await.unwrap();
        transaction.commit().await.unwrap();
    }

    async fn live_texts(&self) -> Vec<String> {
        let mut connection = reader(&self.database).await.unwrap();
        chunks::of_document(&mut connection, self.document, None, 100)
            .await
            .unwrap()
            .into_iter()
            .map(|chunk| chunk.text)
            .collect()
    }
}

fn chunk(text: &str) -> NewChunk {
    let bounds = BoundingBox { page: 1, x0: 1.0, y0: 2.0, x1: 3.0, y1: 4.0 };
    NewChunk {
        text: text.to_owned(),
        page_start: Some(1),
        page_end: None,
        heading_path: vec!["标题 \"quoted\"".into()],
        lines: vec![LineBox { start: 0, end: text.len() as u32, bounds }],
        tokens: 3,
        vector: vec![0.5, -0.25],
    }
}

on_each_database! {
    async fn a_job_is_claimed_once_in_the_order_of_priority(backend: Backend) {
        let library = Library::new(backend).await;
        let kind = library.database.kind();
        let mut transaction = library.database.begin_write().await.unwrap();
        let late = jobs::insert(&mut transaction, &library.job(9)).await.unwrap();
        let soon = jobs::insert(&mut transaction, &library.job(0)).await.unwrap();
        transaction.commit().await.unwrap();
        let lease = NOW.plus_millis(1_000);
        let mut claimed = Vec::new();
        for worker in ["one", "two", "three"] {
            let mut transaction = library.database.begin_write().await.unwrap();
            let job = jobs::claim(&mut transaction, kind, worker, NOW, lease).await.unwrap();
            transaction.commit().await.unwrap();
            claimed.push(job.map(|job| job.id));
        }
        assert_eq!(claimed, [Some(soon), Some(late), None]);
    }

    async fn many_workers_never_hold_the_same_job(backend: Backend) {
        let library = Library::new(backend).await;
        let mut transaction = library.database.begin_write().await.unwrap();
        for _ in 0..20 {
            jobs::insert(&mut transaction, &library.job(0)).await.unwrap();
        }
        transaction.commit().await.unwrap();
        let workers = (0..8).map(|number| {
            let database = library.database.clone();
            tokio::spawn(async move {
                let mut held = Vec::new();
                let (name, lease) = (format!("worker {number}"), NOW.plus_millis(1_000));
                loop {
                    let mut transaction = database.begin_write().await.unwrap();
                    let job = jobs::claim(&mut transaction, database.kind(), &name, NOW, lease).await.unwrap();
                    transaction.commit().await.unwrap();
                    match job {
                        Some(job) => held.push(job.id),
                        None => return held,
                    }
                }
            })
        });
        let held: Vec<_> = futures::future::join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
        let distinct: std::collections::HashSet<_> = held.iter().collect();
        assert_eq!((held.len(), distinct.len()), (20, 20));
    }

    async fn a_lease_that_runs_out_passes_on_and_its_holder_notices(backend: Backend) {
        let library = Library::new(backend).await;
        let kind = library.database.kind();
        let mut transaction = library.database.begin_write().await.unwrap();
        let id = jobs::insert(&mut transaction, &library.job(0)).await.unwrap();
        jobs::claim(&mut transaction, kind, "slow", NOW, NOW.plus_millis(10)).await.unwrap().unwrap();
        assert!(jobs::heartbeat(&mut transaction, id, "slow", NOW.plus_millis(20)).await.unwrap());
        let before = jobs::claim(&mut transaction, kind, "next", NOW.plus_millis(15), NOW.plus_millis(99)).await.unwrap();
        assert_eq!(before, None);
        let after = jobs::claim(&mut transaction, kind, "next", NOW.plus_millis(21), NOW.plus_millis(99)).await.unwrap().unwrap();
        assert_eq!((after.id, after.claims, after.failures), (id, 2, 0));
        assert!(!jobs::heartbeat(&mut transaction, id, "slow", NOW.plus_millis(50)).await.unwrap());
        assert!(!jobs::hold(&mut transaction, id, "slow").await.unwrap());
        assert!(!jobs::postpone(&mut transaction, id, "slow", NOW, true).await.unwrap());
        assert!(jobs::postpone(&mut transaction, id, "next", NOW.plus_millis(500), true).await.unwrap());
        assert_eq!(jobs::next_due(&mut transaction).await.unwrap(), Some(NOW.plus_millis(500)));
        let early = jobs::claim(&mut transaction, kind, "next", NOW.plus_millis(499), NOW.plus_millis(999)).await.unwrap();
        assert_eq!(early, None);
        let due = jobs::claim(&mut transaction, kind, "next", NOW.plus_millis(500), NOW.plus_millis(999)).await.unwrap().unwrap();
        assert_eq!(due.failures, 1);
        assert_eq!(jobs::release_all(&mut transaction).await.unwrap(), 1);
        assert!(jobs::bury(&mut transaction, id, "no_text", "why", NOW).await.unwrap());
        let states = jobs::count_by_state(&mut transaction).await.unwrap();
        assert_eq!(states.into_iter().collect::<Vec<_>>(), [("dead".to_owned(), 1)]);
        transaction.commit().await.unwrap();
    }

    async fn the_log_never_shows_an_entry_before_an_earlier_one(backend: Backend) {
        let library = Library::new(backend).await;
        let base = library.base;
        let writers = (0..12).map(|_| {
            let database = library.database.clone();
            tokio::spawn(async move {
                let mut transaction = database.begin_write().await.unwrap();
                follow::store::append(&mut transaction, &Entry::DeleteBase { base }, NOW).await.unwrap();
                tokio::task::yield_now().await;
                transaction.commit().await.unwrap();
            })
        });
        let reading = {
            let database = library.database.clone();
            tokio::spawn(async move {
                let mut seen = 0;
                while seen < 12 {
                    let entries = follow::store::after(&mut reader(&database).await.unwrap(), 0, 100).await.unwrap();
                    let sequences: Vec<i64> = entries.iter().map(|entry| entry.sequence).collect();
                    assert_eq!(sequences, (1..=sequences.len() as i64).collect::<Vec<_>>());
                    seen = sequences.len();
                    tokio::task::yield_now().await;
                }
            })
        };
        futures::future::join_all(writers).await.into_iter().for_each(|writer| writer.unwrap());
        tokio::time::timeout(crate::harness::PATIENCE, reading).await.unwrap().unwrap();
        assert_eq!(follow::store::head(&mut reader(&library.database).await.unwrap()).await.unwrap(), 12);
    }

    async fn entries_read_back_as_they_were_written(backend: Backend) {
        let library = Library::new(backend).await;
        let (base, document, version) = (library.base, library.document, library.version);
        let entries = [
            Entry::Upsert { base, document, version, generation: 2 },
            Entry::DeleteGeneration { base, document, version, generation: 1, chunk_count: 7 },
            Entry::DeleteDocument { base, document },
            Entry::DeleteBase { base },
        ];
        let mut transaction = library.database.begin_write().await.unwrap();
        for entry in &entries {
            follow::store::append(&mut transaction, entry, NOW).await.unwrap();
        }
        let read = follow::store::after(&mut transaction, 0, 10).await.unwrap();
        assert_eq!(read.into_iter().map(|logged| logged.entry).collect::<Vec<_>>(), entries);
        assert_eq!(follow::store::after(&mut transaction, 2, 1).await.unwrap()[0].sequence, 3);
        transaction.rollback().await.unwrap();
        assert_eq!(follow::store::head(&mut reader(&library.database).await.unwrap()).await.unwrap(), 0);
    }

    async fn only_the_generation_that_serves_is_seen(backend: Backend) {
        let library = Library::new(backend).await;
        library.write(1, &["one", "two"]).await;
        assert_eq!(library.live_texts().await, Vec::<String>::new());
        library.serve(1, 2).await;
        library.write(2, &["eins", "zwei", "drei"]).await;
        assert_eq!(library.live_texts().await, ["one", "two"]);
        library.serve(2, 3).await;
        assert_eq!(library.live_texts().await, ["eins", "zwei", "drei"]);
        // Writing a generation again replaces it.
        library.write(2, &["eins"]).await;
        assert_eq!(library.live_texts().await, ["eins"]);
        let mut transaction = library.database.begin_write().await.unwrap();
        assert_eq!(chunks::delete_generation(&mut transaction, library.version, 1).await.unwrap(), 2);
        assert_eq!(chunks::count_generation(&mut transaction, library.version, 1).await.unwrap(), 0);
        documents::mark_deleted(&mut transaction, library.document, NOW).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(library.live_texts().await, Vec::<String>::new());
    }

    async fn chunks_reach_the_indexes_whole_and_page_by_page(backend: Backend) {
        let library = Library::new(backend).await;
        let texts: Vec<String> = (0..250).map(|number| format!("第{number}段 nul\u{0}")).collect();
        library.write(1, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
        for start in [PageStart::generation(library.version, 1), PageStart::everything()] {
            let (mut next, mut seen) = (Some(start), Vec::new());
            while let Some(from) = next {
                let mut connection = reader(&library.database).await.unwrap();
                let page = chunks::page_for_index(&mut connection, &from, 100).await.unwrap();
                next = page.last().and_then(|(_, last)| from.after(last, page.len() == 100));
                seen.extend(page);
            }
            let ordinals: std::collections::BTreeSet<u32> = seen.iter().map(|(_, chunk)| chunk.ordinal).collect();
            assert_eq!((seen.len(), ordinals.len()), (250, 250));
            let (space, first) = seen.iter().find(|(_, chunk)| chunk.ordinal == 0).unwrap();
            assert_eq!((space.as_str(), first.title.as_str(), first.text.as_str()), ("space-2-x", "a.md", "第0段 nul "));
            assert_eq!(first.vector, [0.5, -0.25]);
        }
    }

    async fn what_an_index_finds_is_checked_against_scope_and_life(backend: Backend) {
        let library = Library::new(backend).await;
        library.write(1, &["one", "two"]).await;
        library.serve(1, 2).await;
        let ids = follow::chunk_ids(library.version, 1, 2);
        let mut connection = reader(&library.database).await.unwrap();
        let scope = SearchScope::of_knowledge_bases([library.base]);
        assert_eq!(chunks::live(&mut connection, &ids, &scope).await.unwrap().len(), 2);
        let elsewhere = SearchScope::of_knowledge_bases([KnowledgeBaseId::new()]);
        assert_eq!(chunks::live(&mut connection, &ids, &elsewhere).await.unwrap().len(), 0);
        let nothing = SearchScope { knowledge_base_ids: vec![library.base], document_ids: Some(vec![]) };
        assert_eq!(chunks::live(&mut connection, &ids, &nothing).await.unwrap().len(), 0);
        let of_other_generation = follow::chunk_ids(library.version, 2, 2);
        assert_eq!(chunks::live(&mut connection, &of_other_generation, &scope).await.unwrap().len(), 0);
        let hit = &chunks::live(&mut connection, &ids[..1], &scope).await.unwrap()[0].hit;
        assert_eq!((hit.text.as_str(), hit.heading_path[0].as_str(), hit.boxes.len()), ("one", "标题 \"quoted\"", 1));
        let found = chunks::find(&mut connection, &library.access, ids[1]).await.unwrap().unwrap();
        assert_eq!((found.text.as_str(), found.version, found.page_end), ("two", 1, None));
    }

    async fn a_version_that_was_replaced_stays_failed(backend: Backend) {
        let library = Library::new(backend).await;
        let reason = anwen_contract::knowledge::Notice { code: "conflict".into(), message: "replaced".into() };
        let parsing = documents::Progress { status: DocumentStatus::Parsing, permille: 50 };
        let mut transaction = library.database.begin_write().await.unwrap();
        documents::report_progress(&mut transaction, library.document, library.version, &parsing, NOW).await.unwrap();
        documents::fail_version(&mut transaction, library.document, library.version, &reason, NOW).await.unwrap();
        documents::report_progress(&mut transaction, library.document, library.version, &parsing, NOW).await.unwrap();
        let document = documents::find(&mut transaction, &library.access, library.document).await.unwrap().unwrap();
        assert_eq!((document.status, document.error), (DocumentStatus::Failed, Some(reason)));
        let generation = documents::begin_generation(&mut transaction, library.document, library.version, NOW).await.unwrap();
        assert_eq!(generation, 2);
        let document = documents::find(&mut transaction, &library.access, library.document).await.unwrap().unwrap();
        assert_eq!((document.status, document.error), (DocumentStatus::Queued, None));
        transaction.commit().await.unwrap();
    }

    async fn paths_are_unique_among_living_documents(backend: Backend) {
        let library = Library::new(backend).await;
        let (base, names) = (library.base, ("a.md", "a.md"));
        let mut transaction = library.database.begin_write().await.unwrap();
        let again = documents::insert_document(&mut transaction, DocumentId::new(), base, names, VersionId::new(), NOW);
        assert!(again.await.unwrap_err().is_unique_violation());
        transaction.rollback().await.unwrap();
        let mut transaction = library.database.begin_write().await.unwrap();
        documents::mark_deleted(&mut transaction, library.document, NOW).await.unwrap();
        documents::insert_document(&mut transaction, DocumentId::new(), base, names, VersionId::new(), NOW).await.unwrap();
        transaction.commit().await.unwrap();
    }
}
