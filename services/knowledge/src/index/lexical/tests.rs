#![allow(clippy::unwrap_used)]

use anwen_contract::ChunkId;
use tantivy::Directory;
use tantivy::directory::{INDEX_WRITER_LOCK, Lock};

use super::*;

fn open(folder: &Path) -> LexicalIndex {
    LexicalIndex::open(&LexicalConfig::new(folder), Arc::new(Analyzer::new())).unwrap()
}

/// Chunks of one version of one document, one for each text.
fn chunks(knowledge_base_id: KnowledgeBaseId, title: &str, texts: &[&str]) -> Vec<IndexedChunk> {
    let (document_id, version_id) = (DocumentId::new(), VersionId::new());
    let make = |(ordinal, text): (u32, &&str)| IndexedChunk {
        chunk_id: ChunkId::derive(version_id, 0, ordinal),
        knowledge_base_id,
        document_id,
        version_id,
        ordinal,
        title: title.to_owned(),
        heading_path: vec![],
        text: (*text).to_owned(),
        vector: vec![],
    };
    (0..).zip(texts).map(make).collect()
}

/// The ordinals that a search finds, best first.
async fn found(index: &LexicalIndex, query: &str, scope: &SearchScope, among: &[IndexedChunk]) -> Vec<u32> {
    let hits = index.search(query, scope, 10).await.unwrap();
    let ordinal = |id: ChunkId| among.iter().find(|chunk| chunk.chunk_id == id).map(|chunk| chunk.ordinal);
    hits.hits.iter().map(|hit| ordinal(hit.chunk_id).expect("a hit outside what was indexed")).collect()
}

#[tokio::test]
async fn words_find_their_chunks_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let base = KnowledgeBaseId::new();
    let all = chunks(
        base,
        "handbook",
        &[
            "Employees accrue annual leave every month.",
            "員工每年享有十五天年假，須提前申請。",
            "The coolant pump must be replaced yearly.",
        ],
    );
    index.upsert(&all).await.unwrap();
    index.commit(1).await.unwrap();
    let scope = SearchScope::of_knowledge_bases([base]);
    for (query, expected) in
        [("annual leaves of an employee", 0), ("员工年假", 1), ("ＰＵＭＰＳ", 2), ("replacing the pumps", 2)]
    {
        assert_eq!(found(&index, query, &scope, &all).await.first(), Some(&expected), "{query}");
    }
    assert!(found(&index, "the of and", &scope, &all).await.is_empty());
    assert!(found(&index, "", &scope, &all).await.is_empty());
}

#[tokio::test]
async fn an_exact_code_is_found_first_in_any_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let base = KnowledgeBaseId::new();
    let all = chunks(
        base,
        "codes",
        &[
            "P0301 misfire. P0301 P0301 P0301 is cylinder one, see also the P series and 0300 revolutions.",
            "P0300: random misfire detected.",
            "GB/T 19001-2008 was replaced. GB/T 19001-2008, GB/T 19001-2008.",
            "本公司通过GB/T 19001-2016质量管理体系认证。",
            "GB/T 9001-2016 is another standard; 19001 items were made in 2016 by GB.",
            "Release v1.2.3 fixes the export.",
            "Release v1.2.4 and v12.3 and 1.2 and 3.",
            "报警代码E-204表示电机过热，E-205表示欠压。",
            "E-205 E-205 E-205: 欠压，204 V。",
            "part no. 6ES7 214-1AG40-0XB0 in stock",
            "part no. 6ES7 214-1BG40-0XB0 in stock",
        ],
    );
    index.upsert(&all).await.unwrap();
    index.commit(1).await.unwrap();
    let scope = SearchScope::of_knowledge_bases([base]);
    for (query, expected) in [
        ("P0300", 1),
        ("p0300 是什么故障", 1),
        ("ｐ０３００", 1),
        ("GB/T 19001-2016", 3),
        ("GB/T19001-2016", 3),
        ("gb/t 19001—2016", 3),
        ("v1.2.3", 5),
        ("what changed in V1.2.3?", 5),
        ("E-204", 7),
        ("E204", 7),
        ("e-204 怎么处理", 7),
        ("6ES7 214-1AG40-0XB0", 9),
        ("6ES7214-1BG40-0XB0", 10),
    ] {
        assert_eq!(found(&index, query, &scope, &all).await.first(), Some(&expected), "{query}");
    }
}

#[tokio::test]
async fn a_text_that_covers_the_question_comes_near_the_best_possible_score() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let base = KnowledgeBaseId::new();
    let filler: Vec<String> =
        (0..50).map(|at| format!("Paragraph {at} speaks of something else entirely.")).collect();
    let mut texts: Vec<&str> = filler.iter().map(String::as_str).collect();
    texts.push("coolant pump seal");
    index.upsert(&chunks(base, "", &texts)).await.unwrap();
    index.commit(1).await.unwrap();
    let scope = SearchScope::of_knowledge_bases([base]);
    let coverage = async |query: &str| -> f32 {
        let found = index.search(query, &scope, 10).await.unwrap();
        found.hits.first().map_or(0.0, |best| best.score) / found.best_possible
    };
    let (all, one, none) = (
        coverage("coolant pump seal").await,
        coverage("coolant of the zebra").await,
        coverage("zebra").await,
    );
    assert!(all > 0.4 && all <= 1.0, "{all}");
    assert!(one > 0.0 && one < 0.7 * all, "{one} against {all}");
    assert_eq!(none, 0.0);
}

#[tokio::test]
async fn only_the_scope_is_searched() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let (mine, theirs) = (KnowledgeBaseId::new(), KnowledgeBaseId::new());
    let my_chunks = chunks(mine, "mine", &["the salary table", "another page"]);
    let their_chunks = chunks(theirs, "theirs", &["the salary table, salary, salary"]);
    index.upsert(&[my_chunks.clone(), their_chunks.clone()].concat()).await.unwrap();
    index.commit(1).await.unwrap();
    let ids = async |scope: SearchScope| -> Vec<ChunkId> {
        index.search("salary", &scope, 10).await.unwrap().hits.iter().map(|hit| hit.chunk_id).collect()
    };
    assert_eq!(ids(SearchScope::of_knowledge_bases([mine])).await, [my_chunks[0].chunk_id]);
    assert_eq!(ids(SearchScope::of_knowledge_bases([mine, theirs])).await.len(), 2);
    assert!(ids(SearchScope::default()).await.is_empty());
    let document =
        SearchScope { document_ids: Some(vec![their_chunks[0].document_id]), knowledge_base_ids: vec![mine] };
    assert!(ids(document).await.is_empty());
}

#[tokio::test]
async fn every_selection_deletes_and_counts_after_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let base = KnowledgeBaseId::new();
    let all = chunks(base, "one", &["alpha", "beta", "gamma"]);
    let other = chunks(base, "two", &["delta"]);
    for selection in [
        Selection::Chunks(all.iter().map(|chunk| chunk.chunk_id).collect()),
        Selection::Version(all[0].version_id),
        Selection::Document(all[0].document_id),
        Selection::KnowledgeBase(base),
    ] {
        index.upsert(&all).await.unwrap();
        index.upsert(&other).await.unwrap();
        index.upsert(&all).await.unwrap();
        index.commit(1).await.unwrap();
        let spared = usize::from(!matches!(selection, Selection::KnowledgeBase(_)));
        assert_eq!(index.count(&selection).await.unwrap(), 4 - spared, "{selection:?}");
        index.delete(&selection).await.unwrap();
        assert_eq!(
            index.count(&selection).await.unwrap(),
            4 - spared,
            "seen before the commit: {selection:?}"
        );
        index.commit(2).await.unwrap();
        assert_eq!(index.count(&selection).await.unwrap(), 0, "{selection:?}");
        assert_eq!(index.count_version(other[0].version_id).await.unwrap(), spared, "{selection:?}");
    }
}

#[tokio::test]
async fn what_was_committed_is_there_after_opening_again_and_what_was_not_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let base = KnowledgeBaseId::new();
    let all = chunks(base, "one", &["committed", "forgotten"]);
    {
        let index = open(folder.path());
        assert_eq!(index.reached_sequence().await.unwrap(), 0);
        index.upsert(&all[..1]).await.unwrap();
        index.commit(17).await.unwrap();
        index.upsert(&all[1..]).await.unwrap();
    }
    let index = open(folder.path());
    assert_eq!(index.reached_sequence().await.unwrap(), 17);
    let scope = SearchScope::of_knowledge_bases([base]);
    assert_eq!(found(&index, "committed", &scope, &all).await, [0]);
    assert!(found(&index, "forgotten", &scope, &all).await.is_empty());
    index.clear().await.unwrap();
    assert_eq!(index.reached_sequence().await.unwrap(), 0);
    assert!(found(&index, "committed", &scope, &all).await.is_empty());
}

#[tokio::test]
async fn the_writer_is_dropped_when_idle_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = LexicalConfig { writer_idle: Duration::from_millis(1), ..LexicalConfig::new(folder.path()) };
    let index = LexicalIndex::open(&config, Arc::new(Analyzer::new())).unwrap();
    let base = KnowledgeBaseId::new();
    let all = chunks(base, "one", &["alpha", "beta"]);
    for (sequence, chunk) in (1..).zip(&all) {
        index.upsert(std::slice::from_ref(chunk)).await.unwrap();
        index.commit(sequence).await.unwrap();
        // The writer holds this lock for as long as it lives; waiting for it is waiting for the idle moment.
        let directory = index.index.directory().clone();
        let lock = Lock { filepath: INDEX_WRITER_LOCK.filepath.clone(), is_blocking: true };
        tokio::task::spawn_blocking(move || directory.acquire_lock(&lock).map(drop)).await.unwrap().unwrap();
    }
    assert_eq!(index.count(&Selection::KnowledgeBase(base)).await.unwrap(), 2);
}

#[tokio::test]
async fn an_index_that_cannot_be_read_is_set_aside_and_begins_at_zero() {
    let folder = tempfile::tempdir().unwrap();
    {
        let index = open(folder.path());
        index.commit(3).await.unwrap();
    }
    std::fs::write(folder.path().join(format!("v{ANALYSIS_VERSION}/meta.json")), "{").unwrap();
    let index = open(folder.path());
    assert_eq!(index.reached_sequence().await.unwrap(), 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "the unreadable index was not kept");
}
