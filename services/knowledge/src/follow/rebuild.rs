//! Filling indexes from the chunks in SQL.

use super::apply::{IndexFailure, Indexes, Targets};
use super::store;
use crate::store::reader;
use anwen_platform::{Database, DbError};

/// Empties the indexes and writes every stored chunk into them. What is logged while this runs is applied after it.
pub async fn fill(database: &Database, indexes: &Indexes, targets: Targets) -> Result<usize, IndexFailure> {
    clear(indexes, targets).await?;
    indexes.apply_everything(database, targets).await
}

async fn clear(indexes: &Indexes, targets: Targets) -> Result<(), IndexFailure> {
    if targets.lexical {
        indexes.lexical.clear().await?;
    }
    if targets.vectors {
        indexes.vectors.clear().await?;
    }
    Ok(())
}

/// Rebuilds both indexes from the truth and answers how many chunks they hold. Nothing else may write to the indexes
/// meanwhile; the service is stopped, or is the caller.
pub async fn rebuild(database: &Database, indexes: &Indexes) -> Result<usize, IndexFailure> {
    let head = head(database).await?;
    let written = fill(database, indexes, Targets::BOTH).await?;
    indexes.lexical.commit(head).await?;
    indexes.vectors.flush(head).await?;
    Ok(written)
}

async fn head(database: &Database) -> Result<u64, DbError> {
    Ok(store::head(&mut *reader(database).await?).await?.unsigned_abs())
}
