//! Search small, read large: the passages around what was found.

use crate::documents::chunks::boxes_of;
use crate::documents::chunks::store::around;
use crate::index::SearchScope;
use crate::retrieve::LiveChunk;
use crate::retrieve::neighbours::{Passage, join, widen};
use crate::store::reader;
use anwen_contract::ApiError;
use anwen_contract::knowledge::Hit;
use anwen_platform::Database;
use std::collections::HashSet;

/// Chunks looked at on each side of a hit.
const MAX_NEIGHBOURS: i64 = 12;
/// Hits that are read on around; the rest is answered as it was found.
const MAX_WIDENED: usize = 24;

/// The hits with what stands around them, each passage at most `max_tokens` large. Hits that stand beside each other
/// become one; a passage is in the place of its best hit and has its id.
pub async fn read_around(
    database: &Database,
    hits: Vec<LiveChunk>,
    scope: &SearchScope,
    max_tokens: u32,
) -> Result<Vec<Hit>, ApiError> {
    let mut taken: HashSet<_> = hits.iter().map(|live| live.hit.chunk_id).collect();
    let mut read = Vec::with_capacity(hits.len());
    for (at, passage) in join(hits, max_tokens).into_iter().enumerate() {
        let passage = if at < MAX_WIDENED {
            let around = neighbours(database, &passage, scope).await?;
            widen(passage, &around, max_tokens, &taken)
        } else {
            passage
        };
        taken.extend(passage.chunks.iter().map(|chunk| chunk.hit.chunk_id));
        read.extend(hit_of(passage));
    }
    Ok(read)
}

async fn neighbours(
    database: &Database,
    passage: &Passage,
    scope: &SearchScope,
) -> Result<Vec<LiveChunk>, ApiError> {
    let (Some(first), Some(last)) = (passage.chunks.first(), passage.chunks.last()) else {
        return Ok(Vec::new());
    };
    let ordinals = first.hit.ordinal - MAX_NEIGHBOURS..=last.hit.ordinal + MAX_NEIGHBOURS;
    Ok(around(&mut *reader(database).await?, first.version_id, ordinals, scope).await?)
}

fn hit_of(passage: Passage) -> Option<Hit> {
    let best = passage.best()?.hit.clone();
    let pages =
        |page: fn(&Hit) -> Option<i64>| passage.chunks.iter().filter_map(move |chunk| page(&chunk.hit));
    Some(Hit {
        page_start: pages(|hit| hit.page_start).min(),
        page_end: pages(|hit| hit.page_end).max(),
        boxes: boxes_of(&passage.lines),
        lines: passage.lines,
        text: passage.text,
        ..best
    })
}
