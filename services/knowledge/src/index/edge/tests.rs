#![allow(clippy::unwrap_used)]

use anwen_contract::{KnowledgeBaseId, VersionId};

use super::*;
use crate::index::suite::{self, DIMENSION, chunk};

fn open(folder: &std::path::Path) -> EdgeIndex {
    EdgeIndex::open(&EdgeConfig::new(folder)).unwrap()
}

#[tokio::test]
async fn the_suite_passes_in_process() {
    let folder = tempfile::tempdir().unwrap();
    suite::run(Arc::new(open(folder.path()))).await;
}

#[tokio::test]
async fn what_was_flushed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let space: SpaceName = "space".parse().unwrap();
    let (base, version) = (KnowledgeBaseId::new(), VersionId::new());
    {
        let index = open(folder.path());
        index.ensure_space(&space, DIMENSION).await.unwrap();
        index.upsert(&space, &[chunk(base, version, 0, [1.0, 0.0, 0.0, 0.0])]).await.unwrap();
        index.flush(7).await.unwrap();
    }
    let index = open(folder.path());
    assert_eq!(index.reached_sequence().await.unwrap(), 7);
    assert_eq!(index.count_version(&space, version).await.unwrap(), 1);
    // A change after opening is newer than those before it.
    index.upsert(&space, &[chunk(base, version, 0, [0.0, 1.0, 0.0, 0.0])]).await.unwrap();
    let scope = SearchScope::of_knowledge_bases([base]);
    let found = index.search(&space, &[0.0, 1.0, 0.0, 0.0], &scope, 1).await.unwrap();
    assert!(found[0].score > 0.99, "the change was ignored: {}", found[0].score);
}

#[tokio::test]
async fn an_index_that_cannot_be_read_is_set_aside_and_begins_at_zero() {
    let folder = tempfile::tempdir().unwrap();
    let space: SpaceName = "space".parse().unwrap();
    {
        let index = open(folder.path());
        index.ensure_space(&space, DIMENSION).await.unwrap();
        index.flush(7).await.unwrap();
    }
    let version = folder.path().join(format!("v{LAYOUT_VERSION}"));
    std::fs::write(version.join("space/edge_config.json"), "{").unwrap();
    let index = open(folder.path());
    assert_eq!(index.reached_sequence().await.unwrap(), 0);
    index.ensure_space(&space, DIMENSION).await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "the unreadable index was not kept");
}

#[tokio::test]
async fn the_log_of_changes_does_not_grow_for_ever() {
    const BIG: usize = 512;
    let folder = tempfile::tempdir().unwrap();
    let index = open(folder.path());
    let space: SpaceName = "space".parse().unwrap();
    index.ensure_space(&space, BIG).await.unwrap();
    let (base, version) = (KnowledgeBaseId::new(), VersionId::new());
    let chunks: Vec<IndexedChunk> = (0..2_000)
        .map(|ordinal| {
            let vector =
                (0..BIG).map(|at| ((at as f32 + 1.0) * (ordinal as f32 + 1.0) * 0.618).sin()).collect();
            IndexedChunk { vector, ..chunk(base, version, ordinal, [0.0; 4]) }
        })
        .collect();
    for sequence in 1..=20 {
        index.upsert(&space, &chunks).await.unwrap();
        index.flush(sequence).await.unwrap();
    }
    let log = folder.path().join(format!("v{LAYOUT_VERSION}/space/wal"));
    let bytes: u64 =
        std::fs::read_dir(log).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 150 << 20, "the log holds {bytes} bytes");
    assert_eq!(index.count_version(&space, version).await.unwrap(), chunks.len());
    let scope = SearchScope::of_knowledge_bases([base]);
    let found = index.search(&space, &chunks[1_234].vector, &scope, 1).await.unwrap();
    assert_eq!(found[0].chunk_id, chunks[1_234].chunk_id);
}

#[tokio::test]
async fn searches_and_changes_run_side_by_side_while_it_is_optimised() {
    let folder = tempfile::tempdir().unwrap();
    let index = Arc::new(open(folder.path()));
    let space: SpaceName = "space".parse().unwrap();
    index.ensure_space(&space, DIMENSION).await.unwrap();
    let (base, version) = (KnowledgeBaseId::new(), VersionId::new());
    let chunks: Vec<_> =
        (0..3_000).map(|ordinal| chunk(base, version, ordinal, [1.0, 0.0, 0.0, 0.0])).collect();
    index.upsert(&space, &chunks).await.unwrap();
    let deleted = Selection::Chunks(chunks[..1_500].iter().map(|chunk| chunk.chunk_id).collect());
    index.delete(&deleted).await.unwrap();
    let (optimizing, searching) = (Arc::clone(&index), Arc::clone(&index));
    let optimized = tokio::spawn(async move { optimizing.optimize().await });
    let scope = SearchScope::of_knowledge_bases([base]);
    for _ in 0..50 {
        let found = searching.search(&space, &[1.0, 0.0, 0.0, 0.0], &scope, 10).await.unwrap();
        assert_eq!(found.len(), 10);
    }
    optimized.await.unwrap().unwrap();
    assert_eq!(index.count(&space, &deleted).await.unwrap(), 0);
    assert_eq!(index.count_version(&space, version).await.unwrap(), 1_500);
}
