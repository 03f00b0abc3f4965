//! One document from its stored file to passages that the indexes can take: parse in a child process, cut into
//! passages, embed, write. Only the last step changes what anybody can see, and it is one transaction.

use super::cut::Chunker;
use crate::classify;
use crate::classify::nearest::Prototype;
use crate::classify::print::Print;
use crate::documents::children::{ChildSettings, Nursery};
use crate::documents::chunks::NewChunk;
use crate::documents::chunks::store::{ChunkOwner, replace_generation};
use crate::documents::originals::Originals;
use crate::documents::store::{self as documents, ParsedFacts, Progress, VersionToBuild};
use crate::follow::{self, Entry};
use crate::index::{SpaceName, text_to_embed};
use crate::ingest::screening::{Screened, warning};
use crate::jobs::{self, Job, JobFailure};
use crate::privacy::screen::Report;
use crate::privacy::{Policy, store as privacy};
use crate::signals::Signals;
use crate::store::reader;
use anwen_contract::chunking::ChunkProfile;
use anwen_contract::knowledge::{BoundingBox, DocumentStatus, LineBox, Notice};
use anwen_contract::{ApiError, ErrorCode, Timestamp};
use anwen_parse::chunk::{ChunkDraft, Chunks};
use anwen_parse::document::{LineSpan, ParsedDocument};
use anwen_parse::parse::ParseFailure;
use anwen_platform::{Database, DbError, Sealer};
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The share of the whole that is done when a step begins, in thousandths.
const PARSING: i64 = 50;
const EMBEDDING: i64 = 300;
const INDEXING: i64 = 950;
/// The code of the warning that a document had too many passages.
const CHUNKS_TRUNCATED: &str = "chunks_truncated";
/// Progress is written at most this often.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// The first pause when the model runtime is away; it doubles up to the longest.
const FIRST_EMBED_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_EMBED_PAUSE: Duration = Duration::from_secs(10);
/// How long a document in memory waits for the model runtime before its worker turns to another job.
const EMBED_PATIENCE: Duration = Duration::from_secs(120);

/// Reads a file's content; the service does it in a child process, tests may do it here.
#[async_trait]
pub trait ReadDocument: Send + Sync + 'static {
    /// `name` is what the file's owner calls it; the password opens a protected file.
    async fn read(
        &self,
        path: &Path,
        name: &str,
        password: Option<&str>,
    ) -> Result<ParsedDocument, ParseFailure>;
}

/// Makes the vectors of passages.
#[async_trait]
pub trait EmbedPassages: Send + Sync + 'static {
    /// One vector for each text, in their order.
    async fn embed(&self, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, ApiError>;
}

/// Everything that a document passes through. Clones share it.
#[derive(Clone)]
pub struct Pipeline {
    pub database: Database,
    pub originals: Originals,
    pub reader: Arc<dyn ReadDocument>,
    pub chunker: Arc<Chunker>,
    pub embedder: Arc<dyn EmbedPassages>,
    /// Opens the passwords that jobs carry.
    pub file_passwords: Sealer,
    pub signals: Signals,
    /// Passages embedded at once.
    pub batch_texts: usize,
    pub children: ChildSettings,
    /// The most bytes of a document inside of another.
    pub max_file_bytes: u64,
}

impl Pipeline {
    /// Works on a job until its chunks are in the log, in the name of `worker`.
    pub async fn run(&self, job: &Job, worker: &str) -> Result<(), JobFailure> {
        let version = self.version(job).await?;
        self.report(job, DocumentStatus::Parsing, PARSING).await?;
        let mut parsed = match self.parse(job, &version).await {
            Ok(parsed) => parsed,
            Err(failure) => return Err(self.unread(job, worker, &version, failure).await),
        };
        let mut facts = facts_of(&parsed);
        let embedded = std::mem::take(&mut parsed.embedded);
        let policy = Policy::new(&version.desensitisation).map_err(storage_failure)?;
        let screened = self.screen(policy, &version, parsed).await?;
        facts.warnings.extend(warning(&screened));
        if screened.is_refused() {
            return Err(self.refuse(job, worker, &version, &screened.report).await);
        }
        let Screened { document: parsed, report, shown_name, .. } = screened;
        // An archive holds files and no text of its own.
        let has_text = embedded.is_empty() || !parsed.is_blank();
        facts.warnings.extend(self.nursery().sync(job, embedded).await.map_err(storage_failure)?);
        self.signals.job_added();
        let Chunks { drafts: chunks, truncated } = self.cut(parsed, version.chunk_profile, has_text).await?;
        if truncated {
            facts.warnings.push(Notice {
                code: CHUNKS_TRUNCATED.to_owned(),
                message: "the document has more passages than the limit; the rest was left out".to_owned(),
            });
        }
        self.note(job, &facts, &report).await?;
        let vectors = self.embed_all(job, &version, &shown_name, &chunks).await?;
        let chunks: Vec<NewChunk> =
            chunks.into_iter().zip(vectors).map(|(chunk, vector)| new_chunk(chunk, vector)).collect();
        let labels =
            classify::prototypes(&self.database, self.embedder.as_ref(), job.base, &version.embedding_model);
        let labels = labels.await.map_err(embed_failure)?;
        self.write(job, worker, &version, &labels, &chunks).await?;
        self.signals.log_grew();
        self.signals.documents_changed();
        Ok(())
    }

    fn nursery(&self) -> Nursery<'_> {
        Nursery {
            database: &self.database,
            originals: &self.originals,
            settings: &self.children,
            max_file_bytes: self.max_file_bytes,
        }
    }

    async fn version(&self, job: &Job) -> Result<VersionToBuild, JobFailure> {
        let mut connection = reader(&self.database).await.map_err(database_failure)?;
        let version =
            documents::version_to_build(&mut connection, job.version).await.map_err(database_failure)?;
        version.ok_or(JobFailure::Lost)
    }

    /// A password that cannot be opened any more (the server has another secret now) has to be given again.
    fn password(&self, job: &Job) -> Result<Option<String>, JobFailure> {
        let Some(sealed) = &job.sealed_password else { return Ok(None) };
        self.file_passwords.open(sealed, &job.document.to_string()).map(Some).map_err(|_| {
            JobFailure::Permanent {
                code: ErrorCode::Encrypted,
                message: "the file is protected by a password; give it again to have it read".to_owned(),
            }
        })
    }

    async fn parse(&self, job: &Job, version: &VersionToBuild) -> Result<ParsedDocument, JobFailure> {
        let password = self.password(job)?;
        let sha256 = version.sha256.as_deref().ok_or_else(|| JobFailure::Permanent {
            code: ErrorCode::OriginalMissing,
            message: "nothing of this file was kept; upload it again".to_owned(),
        })?;
        let file = self.originals.open_locally(sha256).await.map_err(storage_failure)?;
        let started = Instant::now();
        let parsed = self.reader.read(file.as_ref(), &version.name, password.as_deref()).await;
        metrics::histogram!("anwen_knowledge_parse_duration_seconds").record(started.elapsed().as_secs_f64());
        parsed.map_err(parse_failure)
    }

    /// Looking for sensitive content is work for the processor, so it is done off the runtime's own threads.
    async fn screen(
        &self,
        policy: Policy,
        version: &VersionToBuild,
        parsed: ParsedDocument,
    ) -> Result<Screened, JobFailure> {
        let name = version.name.clone();
        tokio::task::spawn_blocking(move || Screened::new(&policy, name, parsed)).await.map_err(|cause| {
            JobFailure::Transient { code: ErrorCode::IndexingFailed, message: cause.to_string() }
        })
    }

    /// Cutting is work for the processor, so it is done off the runtime's own threads.
    async fn cut(
        &self,
        parsed: ParsedDocument,
        profile: ChunkProfile,
        has_text: bool,
    ) -> Result<Chunks, JobFailure> {
        let chunker = Arc::clone(&self.chunker);
        let chunks =
            tokio::task::spawn_blocking(move || chunker.chunk(&parsed, profile)).await.map_err(|cause| {
                JobFailure::Transient { code: ErrorCode::IndexingFailed, message: cause.to_string() }
            })?;
        if chunks.drafts.is_empty() && has_text {
            return Err(JobFailure::Permanent {
                code: ErrorCode::NoText,
                message: "the file holds no text".to_owned(),
            });
        }
        Ok(chunks)
    }

    async fn embed_all(
        &self,
        job: &Job,
        version: &VersionToBuild,
        shown_name: &str,
        chunks: &[ChunkDraft],
    ) -> Result<Vec<Vec<f32>>, JobFailure> {
        let mut vectors = Vec::with_capacity(chunks.len());
        let mut reported = Instant::now();
        for batch in chunks.chunks(self.batch_texts.max(1)) {
            let texts: Vec<String> = batch
                .iter()
                .map(|chunk| text_to_embed(shown_name, &chunk.heading_path, &chunk.text))
                .collect();
            vectors.extend(self.embed_patiently(&version.embedding_model, &texts).await?);
            if reported.elapsed() >= REPORT_EVERY {
                let done = EMBEDDING + (INDEXING - EMBEDDING) * vectors.len() as i64 / chunks.len() as i64;
                self.report(job, DocumentStatus::Embedding, done).await?;
                reported = Instant::now();
            }
        }
        Ok(vectors)
    }

    /// Embeds a batch; while the model runtime is away or busy it waits, for a while.
    async fn embed_patiently(&self, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, JobFailure> {
        let started = Instant::now();
        let mut pause = FIRST_EMBED_PAUSE;
        loop {
            let failure = match self.embedder.embed(model, texts).await {
                Ok(vectors) if vectors.len() == texts.len() => return Ok(vectors),
                Ok(_) => ApiError::new(
                    ErrorCode::IndexingFailed,
                    "the model answered another number of embeddings",
                ),
                Err(failure) => failure,
            };
            match embed_failure(failure) {
                JobFailure::Unavailable { .. } if started.elapsed() + pause < EMBED_PATIENCE => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_EMBED_PAUSE);
                }
                failure => return Err(failure),
            }
        }
    }

    async fn report(&self, job: &Job, status: DocumentStatus, permille: i64) -> Result<(), JobFailure> {
        let progress = Progress { status, permille };
        let mut transaction = self.database.begin_write().await.map_err(database_failure)?;
        documents::report_progress(&mut transaction, job.document, job.version, &progress, Timestamp::now())
            .await
            .map_err(database_failure)?;
        transaction.commit().await.map_err(database_failure)?;
        self.signals.documents_changed();
        Ok(())
    }

    async fn note(&self, job: &Job, facts: &ParsedFacts, report: &Report) -> Result<(), JobFailure> {
        let progress = Progress { status: DocumentStatus::Embedding, permille: EMBEDDING };
        let mut transaction = self.database.begin_write().await.map_err(database_failure)?;
        documents::note_parsed(&mut transaction, job.version, facts).await.map_err(database_failure)?;
        privacy::note_report(&mut transaction, job.version, report).await.map_err(database_failure)?;
        documents::report_progress(&mut transaction, job.document, job.version, &progress, Timestamp::now())
            .await
            .map_err(database_failure)?;
        transaction.commit().await.map_err(database_failure)?;
        self.signals.documents_changed();
        Ok(())
    }

    /// The one step that counts: chunks, log entry and the job's new state, all or nothing.
    async fn write(
        &self,
        job: &Job,
        worker: &str,
        version: &VersionToBuild,
        labels: &[Prototype],
        chunks: &[NewChunk],
    ) -> Result<(), JobFailure> {
        let print = Print::new(chunks);
        let dimension = chunks.first().map_or(0, |chunk| chunk.vector.len());
        let space = SpaceName::for_model(&version.embedding_model, dimension);
        let owner = ChunkOwner {
            base: job.base,
            document: job.document,
            version: job.version,
            generation: job.generation,
        };
        let entry = Entry::Upsert {
            base: job.base,
            document: job.document,
            version: job.version,
            generation: job.generation,
        };
        let progress = Progress { status: DocumentStatus::Embedding, permille: INDEXING };
        let now = Timestamp::now();
        let mut transaction = self.database.begin_write().await.map_err(database_failure)?;
        let is_ours = jobs::store::hold(&mut transaction, job.id, worker).await.map_err(database_failure)?;
        let number = documents::number_of(&mut transaction, job.version).await.map_err(database_failure)?;
        if !is_ours || number.is_none() {
            return Err(JobFailure::Lost);
        }
        // Without passages nothing is known of the embedding's size.
        if !chunks.is_empty() {
            let settled = documents::settle_space(&mut transaction, job.base, space.as_str()).await;
            if settled.map_err(database_failure)? != space.as_str() {
                return Err(other_space());
            }
        }
        replace_generation(&mut transaction, &owner, chunks).await.map_err(database_failure)?;
        self.note_policy(&mut transaction, job, version).await.map_err(database_failure)?;
        classify::note(&mut transaction, (job.base, job.document), &print, labels)
            .await
            .map_err(database_failure)?;
        documents::note_chunk_profile(&mut transaction, job.version, version.chunk_profile)
            .await
            .map_err(database_failure)?;
        documents::report_progress(&mut transaction, job.document, job.version, &progress, now)
            .await
            .map_err(database_failure)?;
        let sequence =
            follow::store::append(&mut transaction, &entry, now).await.map_err(database_failure)?;
        jobs::store::mark_indexing(&mut transaction, job.id, sequence, now)
            .await
            .map_err(database_failure)?;
        transaction.commit().await.map_err(database_failure)
    }
}

fn other_space() -> JobFailure {
    JobFailure::Permanent {
        code: ErrorCode::IndexingFailed,
        message:
            "the embedding model answers another size than the rest of this knowledge base was made with"
                .into(),
    }
}

fn facts_of(parsed: &ParsedDocument) -> ParsedFacts {
    ParsedFacts {
        media_type: parsed.media_type.clone(),
        pages: parsed.page_count.map(i64::from),
        warnings: parsed
            .warnings
            .iter()
            .map(|warning| Notice { code: warning.code.clone(), message: warning.message.clone() })
            .collect(),
    }
}

fn new_chunk(chunk: ChunkDraft, vector: Vec<f32>) -> NewChunk {
    NewChunk {
        page_start: chunk.page_start.map(i64::from),
        page_end: chunk.page_end.map(i64::from),
        heading_path: chunk.heading_path,
        lines: chunk.lines.iter().map(line_box).collect(),
        tokens: i64::try_from(chunk.tokens).unwrap_or(i64::MAX),
        text: chunk.text,
        vector,
    }
}

fn line_box(line: &LineSpan) -> LineBox {
    LineBox {
        start: line.start as u32,
        end: line.end as u32,
        bounds: BoundingBox { page: line.page, x0: line.x0, y0: line.y0, x1: line.x1, y1: line.y1 },
    }
}

/// What a failed reading means for the job: the file's own fault stays, ours may pass.
fn parse_failure(failure: ParseFailure) -> JobFailure {
    let ParseFailure { code, message } = failure;
    if code.is_transient() {
        return JobFailure::Transient { code: ErrorCode::IndexingFailed, message };
    }
    let code = ErrorCode::parse(code.as_str()).unwrap_or(ErrorCode::DamagedFile);
    JobFailure::Permanent { code, message }
}

pub(super) fn database_failure(cause: DbError) -> JobFailure {
    storage_failure(ApiError::from(cause))
}

/// What a failure of our own stores means for the job.
fn storage_failure(failure: ApiError) -> JobFailure {
    match failure.code {
        ErrorCode::OriginalMissing => JobFailure::Permanent { code: failure.code, message: failure.message },
        ErrorCode::ServiceUnavailable | ErrorCode::StorageUnavailable => {
            JobFailure::Unavailable { message: failure.internal.unwrap_or(failure.message) }
        }
        _ => JobFailure::Transient {
            code: ErrorCode::IndexingFailed,
            message: failure.internal.unwrap_or(failure.message),
        },
    }
}

/// What a failure of the model runtime means for the job.
fn embed_failure(failure: ApiError) -> JobFailure {
    match failure.code {
        ErrorCode::ServiceUnavailable
        | ErrorCode::ModelBusy
        | ErrorCode::DeadlineExceeded
        | ErrorCode::RateLimited => {
            JobFailure::Unavailable { message: failure.internal.unwrap_or(failure.message) }
        }
        _ => JobFailure::Transient { code: ErrorCode::IndexingFailed, message: failure.message },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::parse::FailureCode;

    #[test]
    fn a_files_own_fault_is_final_and_ours_is_not() {
        for code in FailureCode::ALL {
            let failure = parse_failure(ParseFailure::new(code, "x"));
            match (code.is_transient(), failure) {
                (true, JobFailure::Transient { .. }) => {}
                (false, JobFailure::Permanent { code: public, .. }) => {
                    assert_eq!(public.as_str(), code.as_str())
                }
                (_, failure) => panic!("{code} became {failure:?}"),
            }
        }
    }

    #[test]
    fn a_model_runtime_that_is_away_costs_no_try() {
        let away = embed_failure(ApiError::new(ErrorCode::ServiceUnavailable, "away"));
        assert!(matches!(away, JobFailure::Unavailable { .. }));
        let unknown = embed_failure(ApiError::new(ErrorCode::ModelNotFound, "no such model"));
        assert!(matches!(unknown, JobFailure::Transient { .. }));
    }
}
