//! What every [`VectorIndex`] must do; run on each implementation.

use std::sync::Arc;

use anwen_contract::{ChunkId, DocumentId, KnowledgeBaseId, VersionId};

use super::{IndexError, IndexedChunk, SearchScope, Selection, SpaceName, VectorIndex};

pub(super) const DIMENSION: usize = 4;

/// Chunk `ordinal` of a new document's version.
pub(super) fn chunk(
    knowledge_base_id: KnowledgeBaseId,
    version_id: VersionId,
    ordinal: u32,
    vector: [f32; 4],
) -> IndexedChunk {
    IndexedChunk {
        chunk_id: ChunkId::derive(version_id, 0, ordinal),
        knowledge_base_id,
        document_id: DocumentId(uuid::Uuid::new_v5(&version_id.0, b"document")),
        version_id,
        ordinal,
        title: "title".to_owned(),
        heading_path: vec![],
        text: format!("text {ordinal}"),
        vector: vector.to_vec(),
    }
}

fn scope(ids: &[KnowledgeBaseId]) -> SearchScope {
    SearchScope::of_knowledge_bases(ids.iter().copied())
}

/// Runs all cases, each in a space and with ids of its own.
pub(super) async fn run(index: Arc<dyn VectorIndex>) {
    index.health().await.expect("a new index is healthy");
    spaces(&*index).await;
    nearest_first_and_only_in_scope(&*index).await;
    upsert_overwrites(&*index).await;
    every_selection_deletes_and_counts(&*index).await;
    bad_vectors_are_refused(&*index).await;
    many_batches(&*index).await;
    sequence(&*index).await;
}

async fn fresh_space(index: &dyn VectorIndex) -> SpaceName {
    let space: SpaceName = format!("suite-{}", uuid::Uuid::now_v7().simple()).parse().expect("a valid name");
    index.ensure_space(&space, DIMENSION).await.expect("a space can be made");
    space
}

async fn spaces(index: &dyn VectorIndex) {
    let space = fresh_space(index).await;
    index.ensure_space(&space, DIMENSION).await.expect("making a space twice succeeds");
    let other = index.ensure_space(&space, DIMENSION + 1).await;
    assert!(matches!(other, Err(IndexError::Dimension { expected: DIMENSION, .. })), "{other:?}");
    index.drop_space(&space).await.expect("a space can be dropped");
    index.drop_space(&space).await.expect("dropping a space twice succeeds");
    let missing = index.search(&space, &[1.0; DIMENSION], &scope(&[KnowledgeBaseId::new()]), 1).await;
    assert!(matches!(missing, Err(IndexError::UnknownSpace(_))), "{missing:?}");
}

async fn nearest_first_and_only_in_scope(index: &dyn VectorIndex) {
    let space = fresh_space(index).await;
    let (mine, theirs, version) = (KnowledgeBaseId::new(), KnowledgeBaseId::new(), VersionId::new());
    let near = chunk(mine, version, 0, [1.0, 0.1, 0.0, 0.0]);
    let far = chunk(mine, version, 1, [0.0, 1.0, 0.0, 0.0]);
    let foreign = chunk(theirs, VersionId::new(), 0, [1.0, 0.0, 0.0, 0.0]);
    index.upsert(&space, &[far.clone(), near.clone(), foreign.clone()]).await.expect("upsert");

    let query = [2.0, 0.0, 0.0, 0.0];
    let found = index.search(&space, &query, &scope(&[mine]), 10).await.expect("search");
    let ids: Vec<ChunkId> = found.iter().map(|hit| hit.chunk_id).collect();
    assert_eq!(ids, [near.chunk_id, far.chunk_id]);
    assert_eq!((found[0].document_id, found[0].version_id), (near.document_id, version));
    assert!((found[0].score - 1.0 / 1.01_f32.sqrt()).abs() < 1e-3, "cosine expected, got {}", found[0].score);
    assert!(found[1].score.abs() < 1e-3);

    let both = index.search(&space, &query, &scope(&[mine, theirs]), 1).await.expect("search");
    assert_eq!(both[0].chunk_id, foreign.chunk_id);
    assert_eq!(both.len(), 1);
    assert!(index.search(&space, &query, &scope(&[]), 10).await.expect("search").is_empty());
    assert!(
        index.search(&space, &query, &scope(&[KnowledgeBaseId::new()]), 10).await.expect("search").is_empty()
    );

    let one_document =
        SearchScope { document_ids: Some(vec![foreign.document_id]), ..scope(&[mine, theirs]) };
    let found = index.search(&space, &query, &one_document, 10).await.expect("search");
    assert_eq!(found.iter().map(|hit| hit.chunk_id).collect::<Vec<_>>(), [foreign.chunk_id]);
    let elsewhere = SearchScope { document_ids: Some(vec![foreign.document_id]), ..scope(&[mine]) };
    assert!(index.search(&space, &query, &elsewhere, 10).await.expect("search").is_empty());
}

async fn upsert_overwrites(index: &dyn VectorIndex) {
    let space = fresh_space(index).await;
    let (base, version) = (KnowledgeBaseId::new(), VersionId::new());
    index.upsert(&space, &[chunk(base, version, 0, [1.0, 0.0, 0.0, 0.0])]).await.expect("upsert");
    index.upsert(&space, &[chunk(base, version, 0, [0.0, 1.0, 0.0, 0.0])]).await.expect("upsert");
    let found = index.search(&space, &[0.0, 1.0, 0.0, 0.0], &scope(&[base]), 10).await.expect("search");
    assert_eq!(found.len(), 1);
    assert!((found[0].score - 1.0).abs() < 1e-3, "the old vector is still there: {}", found[0].score);
    assert_eq!(index.count_version(&space, version).await.expect("count"), 1);
}

async fn every_selection_deletes_and_counts(index: &dyn VectorIndex) {
    let space = fresh_space(index).await;
    let other_space = fresh_space(index).await;
    let (base, version, other_version) = (KnowledgeBaseId::new(), VersionId::new(), VersionId::new());
    let chunks: Vec<_> = (0..3).map(|ordinal| chunk(base, version, ordinal, [1.0, 0.0, 0.0, 0.0])).collect();
    let other = chunk(base, other_version, 0, [1.0, 0.0, 0.0, 0.0]);
    for selection in [
        Selection::Chunks(chunks.iter().map(|chunk| chunk.chunk_id).collect()),
        Selection::Version(version),
        Selection::Document(chunks[0].document_id),
        Selection::KnowledgeBase(base),
    ] {
        index.upsert(&space, &chunks).await.expect("upsert");
        index.upsert(&other_space, &chunks).await.expect("upsert");
        index.upsert(&space, std::slice::from_ref(&other)).await.expect("upsert");
        let spared = usize::from(!matches!(selection, Selection::KnowledgeBase(_)));
        assert_eq!(index.count(&space, &selection).await.expect("count"), 4 - spared, "{selection:?}");
        index.delete(&selection).await.expect("delete");
        index.delete(&selection).await.expect("deleting twice succeeds");
        assert_eq!(index.count(&space, &selection).await.expect("count"), 0, "{selection:?}");
        assert_eq!(
            index.count(&other_space, &selection).await.expect("count"),
            0,
            "{selection:?} in another space"
        );
        assert_eq!(index.count_version(&space, other_version).await.expect("count"), spared, "{selection:?}");
        let left = index.search(&space, &[1.0, 0.0, 0.0, 0.0], &scope(&[base]), 10).await.expect("search");
        assert_eq!(left.len(), spared, "{selection:?}");
    }
}

async fn bad_vectors_are_refused(index: &dyn VectorIndex) {
    let space = fresh_space(index).await;
    let base = KnowledgeBaseId::new();
    let short = index.search(&space, &[1.0], &scope(&[base]), 1).await;
    assert!(matches!(short, Err(IndexError::Dimension { found: 1, .. })), "{short:?}");
    let mut bad = chunk(base, VersionId::new(), 0, [f32::NAN, 0.0, 0.0, 0.0]);
    let refused = index.upsert(&space, std::slice::from_ref(&bad)).await;
    assert!(matches!(refused, Err(IndexError::Invalid(_))), "{refused:?}");
    bad.vector = vec![0.0; DIMENSION];
    index.upsert(&space, &[bad]).await.expect("the vector of an empty text is stored");
}

async fn many_batches(index: &dyn VectorIndex) {
    let space = fresh_space(index).await;
    let (base, version) = (KnowledgeBaseId::new(), VersionId::new());
    let chunks: Vec<_> = (0_u16..1_500)
        .map(|ordinal| {
            let angle = f32::from(ordinal) / 1_500.0;
            chunk(base, version, u32::from(ordinal), [angle.cos(), angle.sin(), 0.0, 0.0])
        })
        .collect();
    index.upsert(&space, &chunks).await.expect("upsert");
    assert_eq!(index.count_version(&space, version).await.expect("count"), chunks.len());
    let found = index.search(&space, &chunks[700].vector, &scope(&[base]), 5).await.expect("search");
    assert_eq!((found.len(), found[0].chunk_id), (5, chunks[700].chunk_id));
    assert!(found.is_sorted_by(|one, next| one.score >= next.score));
}

async fn sequence(index: &dyn VectorIndex) {
    index.flush(41).await.expect("flush");
    index.flush(42).await.expect("flush");
    assert_eq!(index.reached_sequence().await.expect("sequence"), 42);
    let space = fresh_space(index).await;
    index.clear().await.expect("clear");
    assert_eq!(index.reached_sequence().await.expect("sequence"), 0);
    let gone = index.count_version(&space, VersionId::new()).await;
    assert!(matches!(gone, Err(IndexError::UnknownSpace(_))), "{gone:?}");
}

/// Needs a server: `ANWEN_TEST_QDRANT_URL=http://127.0.0.1:6334`. Without one there is nothing to test against.
#[tokio::test]
async fn the_suite_passes_on_a_server() {
    let Ok(url) = std::env::var("ANWEN_TEST_QDRANT_URL") else {
        eprintln!("skipped: set ANWEN_TEST_QDRANT_URL to the gRPC address of a Qdrant server");
        return;
    };
    let prefix = format!("test-{}", uuid::Uuid::now_v7().simple());
    let config = super::server::ServerConfig {
        url,
        api_key: None,
        collection_prefix: prefix.parse().expect("a valid prefix"),
        replication_factor: 1,
        timeout: std::time::Duration::from_secs(10),
    };
    let index = Arc::new(super::server::ServerIndex::new(&config).expect("a client"));
    run(index).await;
}
