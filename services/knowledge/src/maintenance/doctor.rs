//! Looking for damage, and mending what is simple to mend.

use super::store::{self, ServingGeneration};
use crate::app::App;
use crate::documents::store as documents;
use crate::follow::chunk_ids;
use crate::index::SpaceName;
use crate::jobs::{self, NewJob};
use crate::store::reader;
use anwen_contract::{ApiError, DocumentId, Timestamp, VersionId};
use serde::Serialize;

/// Documents examined at a time.
const DOCUMENTS_PER_STEP: i64 = 200;

/// What was found. Everything named under `requeued` is being mended when the service runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DoctorReport {
    pub documents: usize,
    pub chunks: i64,
    /// Documents whose stored file is missing: upload it again.
    pub missing_originals: Vec<DocumentId>,
    /// Documents of which an index, or SQL itself, lacks passages.
    pub incomplete: Vec<DocumentId>,
    /// Documents that were on their way, and that nothing worked on.
    pub stranded: Vec<DocumentId>,
    /// Of the last two, those that were given to the workers again.
    pub requeued: usize,
    /// Stored files that no document needs; the collector removes them.
    pub unused_originals: usize,
}

impl DoctorReport {
    /// Whether everything is as it should be.
    pub fn is_healthy(&self) -> bool {
        self.missing_originals.is_empty() && self.incomplete.is_empty() && self.stranded.is_empty()
    }
}

/// Examines every document that serves, and those that wait. With `mend`, what lacks passages is indexed again from
/// its stored file, as a new generation beside the one that serves.
pub async fn examine(app: &App, mend: bool) -> Result<DoctorReport, ApiError> {
    let mut report = DoctorReport::default();
    let mut to_requeue: Vec<(DocumentId, VersionId)> = Vec::new();
    let mut after = None;
    loop {
        let mut connection = reader(&app.database).await?;
        let step = store::serving_generations(&mut connection, after, DOCUMENTS_PER_STEP).await?;
        drop(connection);
        let Some(last) = step.last() else { break };
        after = Some(last.document);
        for serving in &step {
            examine_one(app, serving, &mut report, &mut to_requeue).await?;
        }
    }
    let mut connection = reader(&app.database).await?;
    let stranded = store::stranded_versions(&mut connection).await?;
    report.stranded = stranded.iter().map(|(document, _)| *document).collect();
    report.unused_originals = store::unused_originals(&mut connection, i64::from(u32::MAX)).await?.len();
    drop(connection);
    to_requeue.extend(stranded);
    if mend {
        for (document, version) in to_requeue {
            requeue(app, document, version).await?;
            report.requeued += 1;
        }
    }
    Ok(report)
}

async fn examine_one(
    app: &App,
    serving: &ServingGeneration,
    report: &mut DoctorReport,
    to_requeue: &mut Vec<(DocumentId, VersionId)>,
) -> Result<(), ApiError> {
    report.documents += 1;
    report.chunks += serving.stored_chunks;
    let has_original = match &serving.sha256 {
        Some(sha256) => app.originals.exists(sha256).await?,
        None => false,
    };
    if !has_original {
        report.missing_originals.push(serving.document);
    }
    if !is_complete(app, serving).await? {
        report.incomplete.push(serving.document);
        if has_original {
            to_requeue.push((serving.document, serving.version));
        }
    }
    Ok(())
}

async fn is_complete(app: &App, serving: &ServingGeneration) -> Result<bool, ApiError> {
    if serving.stored_chunks != serving.noted_chunks {
        return Ok(false);
    }
    let Some(space) = &serving.space else { return Ok(serving.stored_chunks == 0) };
    let space: SpaceName = space.parse().map_err(ApiError::internal)?;
    let ids = chunk_ids(serving.version, serving.generation, serving.stored_chunks);
    let (vectors, texts) = app.indexes.count(&space, &ids).await.map_err(ApiError::internal)?;
    Ok(vectors == ids.len() && texts == ids.len())
}

async fn requeue(app: &App, document: DocumentId, version: VersionId) -> Result<(), ApiError> {
    let now = Timestamp::now();
    let mut transaction = app.database.begin_write().await?;
    let Some(base) = documents::base_of(&mut transaction, document).await? else { return Ok(()) };
    jobs::store::drop_all(&mut transaction, document).await?;
    let generation = documents::begin_generation(&mut transaction, document, version, now).await?;
    let job = NewJob { version, document, base, generation, priority: 0, sealed_password: None, now };
    jobs::store::insert(&mut transaction, &job).await?;
    transaction.commit().await?;
    app.signals.job_added();
    Ok(())
}
