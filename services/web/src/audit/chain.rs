//! The chain of hashes, as a pure function of the rows.

use anwen_contract::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditRow {
    /// Counts from 1, without gaps.
    pub sequence: i64,
    pub id: String,
    pub at: Timestamp,
    /// The user's id; empty when nobody was signed in.
    pub actor: String,
    pub actor_name: String,
    /// `domain.verb`, such as `user.created`.
    pub action: String,
    /// `kind:id` of what it was done to; may be empty.
    pub object: String,
    pub detail: serde_json::Value,
    /// The client's address.
    pub address: String,
    /// The hash of the row before; empty for the first.
    pub prev_hash: String,
    /// SHA-256 over this row and `prev_hash`.
    pub hash: String,
}

/// Where the log stops being what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    #[error("entry {0} is missing or out of order")]
    Missing(i64),
    #[error("entry {0} does not follow from the one before it")]
    Unlinked(i64),
    #[error("entry {0} was changed")]
    Changed(i64),
    #[error("the log ends at entry {found}, but {written} were written")]
    Cut { found: i64, written: i64 },
}

/// SHA-256, in lower-case hexadecimal, over the row's fields and the hash before it, written as a JSON array so that
/// no two different rows have the same text. `detail` is the JSON text as it is stored: written anew it might
/// differ in the order of its keys.
pub fn row_hash(row: &AuditRow, detail: &str) -> String {
    let fields = serde_json::json!([
        row.prev_hash,
        row.sequence,
        row.id,
        row.at.as_millis(),
        row.actor,
        row.actor_name,
        row.action,
        row.object,
        detail,
        row.address,
    ]);
    hex::encode(Sha256::digest(fields.to_string().as_bytes()))
}

/// Checks that `row` follows the row with this sequence number and hash.
pub fn check_link(
    row: &AuditRow,
    detail: &str,
    previous_sequence: i64,
    previous_hash: &str,
) -> Result<(), BrokenChain> {
    if row.sequence != previous_sequence + 1 {
        return Err(BrokenChain::Missing(previous_sequence + 1));
    }
    if row.prev_hash != previous_hash {
        return Err(BrokenChain::Unlinked(row.sequence));
    }
    if row_hash(row, detail) != row.hash {
        return Err(BrokenChain::Changed(row.sequence));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: i64) -> Vec<AuditRow> {
        let mut rows: Vec<AuditRow> = Vec::new();
        for sequence in 1..=count {
            let mut row = AuditRow {
                sequence,
                id: format!("row-{sequence}"),
                at: Timestamp(sequence * 1000),
                actor: "u".into(),
                actor_name: "li".into(),
                action: "user.created".into(),
                object: "user:1".into(),
                detail: serde_json::json!({"n": sequence}),
                address: String::new(),
                prev_hash: rows.last().map(|row| row.hash.clone()).unwrap_or_default(),
                hash: String::new(),
            };
            row.hash = row_hash(&row, &row.detail.to_string());
            rows.push(row);
        }
        rows
    }

    fn verify(rows: &[AuditRow]) -> Result<(), BrokenChain> {
        let mut previous = (0, String::new());
        for row in rows {
            check_link(row, &row.detail.to_string(), previous.0, &previous.1)?;
            previous = (row.sequence, row.hash.clone());
        }
        Ok(())
    }

    #[test]
    fn an_untouched_chain_holds_and_any_change_breaks_it() {
        assert_eq!(verify(&chain(4)), Ok(()));

        let mut changed = chain(4);
        changed[1].object = "user:2".into();
        assert_eq!(verify(&changed), Err(BrokenChain::Changed(2)));

        let mut rehashed = chain(4);
        rehashed[1].object = "user:2".into();
        rehashed[1].hash = row_hash(&rehashed[1], &rehashed[1].detail.to_string());
        assert_eq!(verify(&rehashed), Err(BrokenChain::Unlinked(3)));

        let mut removed = chain(4);
        removed.remove(2);
        assert_eq!(verify(&removed), Err(BrokenChain::Missing(3)));
    }
}
