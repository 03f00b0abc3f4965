//! What stands inside a file (attachments of a message, members of an archive) made documents of their own, in the same
//! knowledge base, under the path of the file that holds them.
//!
//! The same file read again changes nothing; a new version of it adds, replaces and removes what differs. The bytes of a
//! child are an original like any other, so that a child is shown, retried and indexed as documents are.

use super::names::{SafePath, safe_path};
use super::originals::{Incoming, Originals, Received};
use super::store::{self, Occupant, Parent};
use super::upload::{NewContent, add_version};
use crate::bases;
use crate::classify;
use crate::follow::{self, Entry};
use crate::jobs::{self, Job, NewJob};
use crate::privacy;
use crate::store::{Connection, reader};
use anwen_contract::knowledge::Notice;
use anwen_contract::{ApiError, DocumentId, KnowledgeBaseId, Timestamp};
use anwen_parse::document::EmbeddedFile;
use anwen_platform::Database;
use bytes::Bytes;
use futures::stream::StreamExt as _;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::convert::Infallible;

/// What is inside of a file waits behind the files that people uploaded.
const CHILD_PRIORITY: i64 = 100;
/// How often a number is put to a name that is taken within the same file.
const MAX_NUMBERED_NAMES: usize = 1_000;
/// The code of the warning that not everything inside became a document.
const LEFT_OUT: &str = "embedded_left_out";
/// The code of the warning that something inside is in the knowledge base already.
const DUPLICATES: &str = "embedded_duplicates";

/// How much of what stands inside files becomes documents.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChildSettings {
    /// Files inside files inside files: what is deeper is left out.
    pub max_depth: i64,
    /// The most documents of one uploaded file, at all depths together.
    pub max_documents: usize,
}

impl Default for ChildSettings {
    fn default() -> Self {
        Self { max_depth: 3, max_documents: 5_000 }
    }
}

/// Where children are made.
pub struct Nursery<'a> {
    pub database: &'a Database,
    pub originals: &'a Originals,
    pub settings: &'a ChildSettings,
    /// The most bytes of one document.
    pub max_file_bytes: u64,
}

/// What happened to one file.
enum Outcome {
    /// It is a document inside the parent, new or from before.
    Child(DocumentId),
    /// The knowledge base has it already, elsewhere.
    Duplicate,
    LeftOut,
    /// The parent has gone, or has a newer version.
    Obsolete,
}

impl Nursery<'_> {
    /// Makes the documents inside a document those that its file holds now, and answers what people should know.
    ///
    /// # Errors
    /// Those of the database and the object store; what was done before stays, and doing it again completes it.
    pub async fn sync(&self, job: &Job, embedded: Vec<EmbeddedFile>) -> Result<Vec<Notice>, ApiError> {
        let (depth, top, inside_top) = {
            let mut connection = reader(self.database).await?;
            let (depth, top) = store::nesting(&mut connection, job.document).await?;
            (depth, top, store::descendants(&mut connection, top).await?.len())
        };
        let before = self.children_of(job.document).await?;
        if embedded.is_empty() && before.is_empty() {
            return Ok(Vec::new());
        }
        let mut known = Known { before: before.into_iter().collect(), kept: HashSet::new() };
        let mut room = self.settings.max_documents.saturating_sub(inside_top);
        let (mut duplicates, mut left_out) = (0usize, 0usize);
        let is_too_deep = depth >= self.settings.max_depth;
        for file in numbered(embedded) {
            if is_too_deep || file.bytes.len() as u64 > self.max_file_bytes {
                left_out += 1;
                continue;
            }
            match self.take(job, &file, &known, room > 0).await? {
                Outcome::Child(id) => {
                    room -= usize::from(!known.before.contains(&id) && room > 0);
                    known.kept.insert(id);
                }
                Outcome::Duplicate => duplicates += 1,
                Outcome::LeftOut => left_out += 1,
                Outcome::Obsolete => return Ok(Vec::new()),
            }
        }
        self.remove(job, known.before.difference(&known.kept).copied().collect()).await?;
        let children = known.kept.len();
        tracing::debug!(document = %job.document, %top, children, duplicates, left_out, "files inside taken");
        Ok(notices(duplicates, left_out))
    }

    async fn children_of(&self, document: DocumentId) -> Result<Vec<DocumentId>, ApiError> {
        let mut connection = reader(self.database).await?;
        let children = store::children(&mut connection, document).await?;
        Ok(children.into_iter().map(|child| child.id).collect())
    }

    /// Makes one file a document, unless it is one.
    async fn take(
        &self,
        job: &Job,
        file: &EmbeddedFile,
        known: &Known,
        has_room: bool,
    ) -> Result<Outcome, ApiError> {
        let bytes = Bytes::copy_from_slice(&file.bytes);
        let mut stream = futures::stream::once(async { Ok::<_, Infallible>(bytes) }).boxed();
        let incoming = match self.originals.receive(&mut stream, self.max_file_bytes).await? {
            Received::Stored(incoming) => incoming,
            Received::TooLarge => return Ok(Outcome::LeftOut),
        };
        let taken = self.accept(job, &file.path, &incoming, known, has_room).await;
        if !matches!(taken, Ok((_, Placed::Yes))) {
            self.originals.discard(&incoming).await;
        }
        taken.map(|(outcome, _)| outcome)
    }

    async fn accept(
        &self,
        job: &Job,
        inner_path: &str,
        incoming: &Incoming,
        known: &Known,
        has_room: bool,
    ) -> Result<(Outcome, Placed), ApiError> {
        let now = Timestamp::now();
        let mut transaction = self.database.begin_write().await?;
        bases::store::lock(&mut transaction, job.base).await?;
        let Some(parent) = store::hold_parent(&mut transaction, job.document, job.version).await? else {
            return Ok((Outcome::Obsolete, Placed::No));
        };
        let place = inner_place(&parent, inner_path);
        match store::occupant(&mut transaction, job.base, &place.path).await? {
            Some(Occupant { parent, .. }) if parent != Some(job.document) => {
                return Ok((Outcome::LeftOut, Placed::No));
            }
            Some(Occupant { id, sha256, .. }) if sha256.as_deref() == Some(incoming.sha256.as_str()) => {
                return Ok((Outcome::Child(id), Placed::No));
            }
            Some(_) => {}
            None => match store::with_bytes(&mut transaction, job.base, &incoming.sha256).await? {
                Some(same) if known.is_waiting(same.id) => {
                    // It was moved within the file.
                    rename(&mut transaction, job.base, same.id, &place, now).await?;
                    transaction.commit().await?;
                    return Ok((Outcome::Child(same.id), Placed::No));
                }
                Some(_) => return Ok((Outcome::Duplicate, Placed::No)),
                None if !has_room => return Ok((Outcome::LeftOut, Placed::No)),
                None => {}
            },
        }
        let bytes = i64::try_from(incoming.bytes).map_err(ApiError::internal)?;
        store::register_original(&mut transaction, &incoming.sha256, bytes, now).await?;
        let content = NewContent::of_original(incoming, &place.name)?;
        let (child, version) =
            add_version(&mut transaction, parent.created_by, job.base, &place, content, now).await?;
        store::adopt(&mut transaction, child, job.document).await?;
        let new = NewJob {
            version,
            document: child,
            base: job.base,
            generation: 1,
            priority: CHILD_PRIORITY,
            sealed_password: None,
            now,
        };
        jobs::store::insert(&mut transaction, &new).await?;
        self.originals.place(incoming).await?;
        transaction.commit().await?;
        Ok((Outcome::Child(child), Placed::Yes))
    }

    /// Deletes what the file holds no more, and what was inside of that.
    async fn remove(&self, job: &Job, gone: Vec<DocumentId>) -> Result<(), ApiError> {
        if gone.is_empty() {
            return Ok(());
        }
        let now = Timestamp::now();
        let mut transaction = self.database.begin_write().await?;
        if store::hold_parent(&mut transaction, job.document, job.version).await?.is_some() {
            for id in gone {
                delete_with_children(&mut transaction, job.base, id, now).await?;
            }
            transaction.commit().await?;
        }
        Ok(())
    }
}

/// The documents inside: those of the time before, and those found again or made.
struct Known {
    before: HashSet<DocumentId>,
    kept: HashSet<DocumentId>,
}

impl Known {
    /// Whether the document was inside before and has not been found again.
    fn is_waiting(&self, id: DocumentId) -> bool {
        self.before.contains(&id) && !self.kept.contains(&id)
    }
}

/// Renames a document; its passages are indexed with its name, so the indexes follow.
async fn rename(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    document: DocumentId,
    place: &SafePath,
    now: Timestamp,
) -> Result<(), ApiError> {
    store::rename(connection, document, (&place.name, &place.path), now).await?;
    privacy::note_names_in(connection, base, document).await?;
    if let Some(serving) = store::serving(connection, document).await? {
        let entry =
            Entry::Upsert { base, document, version: serving.version, generation: serving.generation };
        follow::store::append(connection, &entry, now).await?;
    }
    Ok(())
}

/// Whether a stored file went to its place.
enum Placed {
    Yes,
    No,
}

/// Deletes a document and everything inside of it, as steps of a transaction.
pub async fn delete_with_children(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    id: DocumentId,
    now: Timestamp,
) -> Result<(), ApiError> {
    // The document first: who makes children locks it and finds it gone.
    store::mark_deleted(connection, id, now).await?;
    let inside = store::descendants(connection, id).await?;
    for document in std::iter::once(id).chain(inside.into_iter().map(|child| child.id)) {
        store::mark_deleted(connection, document, now).await?;
        classify::forget(connection, base, document).await?;
        jobs::store::drop_all(connection, document).await?;
        follow::store::append(connection, &Entry::DeleteDocument { base, document }, now).await?;
    }
    Ok(())
}

/// Moves everything inside of a document that was moved.
pub async fn move_children(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    id: DocumentId,
    (old_path, new_path): (&str, &str),
    now: Timestamp,
) -> Result<(), ApiError> {
    for child in store::descendants(connection, id).await? {
        if let Some(inner) = child.path.strip_prefix(old_path).and_then(|rest| rest.strip_prefix('/')) {
            let place = safe_path(&format!("{new_path}/{inner}"));
            store::rename(connection, child.id, (&place.name, &place.path), now).await?;
            privacy::note_names_in(connection, base, child.id).await?;
        }
    }
    Ok(())
}

/// A path inside the parent's, whatever the file says.
fn inner_place(parent: &Parent, inner_path: &str) -> SafePath {
    safe_path(&format!("{}/{}", parent.path, safe_path(inner_path).path))
}

/// Gives files of one path different ones: `a.txt`, `a (2).txt`.
fn numbered(files: Vec<EmbeddedFile>) -> impl Iterator<Item = EmbeddedFile> {
    let mut taken = HashSet::new();
    files.into_iter().map(move |mut file| {
        let wanted = safe_path(&file.path).path;
        let (stem, ending) = match wanted.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() && !ending.contains('/') => {
                (stem.to_owned(), format!(".{ending}"))
            }
            _ => (wanted.clone(), String::new()),
        };
        let others = (2..MAX_NUMBERED_NAMES).map(|number| format!("{stem} ({number}){ending}"));
        let free = std::iter::once(wanted.clone()).chain(others).find(|path| !taken.contains(path));
        file.path = free.unwrap_or(wanted);
        taken.insert(file.path.clone());
        file
    })
}

fn notices(duplicates: usize, left_out: usize) -> Vec<Notice> {
    let notice = |code: &str, message: String| Notice { code: code.to_owned(), message };
    let mut notices = Vec::new();
    if duplicates > 0 {
        let message = format!("{duplicates} of the files inside are in this knowledge base already");
        notices.push(notice(DUPLICATES, message));
    }
    if left_out > 0 {
        let message = format!(
            "{left_out} of the files inside were left out: they are too deep, too large or too many, or their place is taken"
        );
        notices.push(notice(LEFT_OUT, message));
    }
    notices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(given: &[&str]) -> Vec<String> {
        let files =
            given.iter().map(|path| EmbeddedFile { path: (*path).to_owned(), bytes: vec![] }).collect();
        numbered(files).map(|file| file.path).collect()
    }

    #[test]
    fn files_of_one_name_get_numbers() {
        assert_eq!(
            paths(&["a.txt", "b/a.txt", "a.txt", "../a.txt", "README", "README"]),
            ["a.txt", "b/a.txt", "a (2).txt", "a (3).txt", "README", "README (2)"]
        );
    }

    #[test]
    fn a_file_stays_inside_its_parent() {
        let parent = Parent { path: "mail/offer.eml".into(), created_by: anwen_contract::UserId::new() };
        for (inner, path) in [
            ("a.pdf", "mail/offer.eml/a.pdf"),
            ("../../a.pdf", "mail/offer.eml/a.pdf"),
            ("/etc/passwd", "mail/offer.eml/etc/passwd"),
            ("", "mail/offer.eml/unnamed"),
        ] {
            assert_eq!(inner_place(&parent, inner).path, path, "{inner}");
        }
    }
}
