//! What the tests of this folder share.

use anwen_contract::knowledge::{Hit, HitScores};
use anwen_contract::{ChunkId, DocumentId, KnowledgeBaseId, Timestamp, VersionId};
use uuid::Uuid;

use super::LiveChunk;

/// Chunk `ordinal` of document number `document`, of 10 tokens, in section `s`.
pub(super) fn live(document: u128, ordinal: i64, text: &str) -> LiveChunk {
    let version_id = VersionId(Uuid::from_u128(document));
    let hit = Hit {
        chunk_id: ChunkId::derive(version_id, 0, u32::try_from(ordinal).unwrap_or_default()),
        document_id: DocumentId(Uuid::from_u128(document)),
        document_name: format!("document {document}"),
        knowledge_base_id: KnowledgeBaseId(Uuid::nil()),
        text: text.to_owned(),
        page_start: None,
        page_end: None,
        heading_path: vec!["s".to_owned()],
        boxes: vec![],
        score: 0.0,
        scores: HitScores::default(),
        version: 1,
        ordinal,
        lines: vec![],
        as_of: Timestamp::now(),
    };
    LiveChunk { version_id, kin: hit.document_id, tokens: 10, hit }
}
