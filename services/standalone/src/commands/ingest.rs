//! `anwen ingest PATH…`: files and folders into a knowledge base, until each is indexed or has failed.

use super::session::{Session, send};
use crate::cli::{CommonArguments, IngestArguments};
use crate::failure::Failure;
use crate::workplace::Workplace;
use anwen_contract::knowledge::{Document, DocumentStatus, KnowledgeBase, UploadAnswer};
use anwen_contract::{DocumentId, Timestamp};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Folders inside folders that are followed.
const MAX_DEPTH: usize = 32;
/// Files that one call takes.
const MAX_FILES: usize = 1_000_000;
/// How often documents on their way are looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// How often watched folders are looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(2);

/// A file and its path in the knowledge base.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FoundFile {
    file: PathBuf,
    path: String,
    modified: SystemTime,
}

pub async fn run(common: &CommonArguments, arguments: IngestArguments) -> Result<(), Failure> {
    let workplace = Workplace::open(common)?;
    let session = Session::open(&workplace, arguments.user.as_deref()).await?;
    let result = tokio::select! {
        result = ingest(&session, common.json, &arguments) => result,
        signal = anwen_platform::shutdown::wait_for_signal() => signal.map_err(Failure::from).map(|()| 0),
    };
    session.close().await?;
    match result? {
        0 => Ok(()),
        failed => Err(Failure::new("documents_failed", format!("{failed} documents could not be indexed"))),
    }
}

async fn ingest(session: &Session, json: bool, arguments: &IngestArguments) -> Result<usize, Failure> {
    let base = session.find_or_make_base(&arguments.kb).await?;
    let mut seen: BTreeMap<String, SystemTime> = BTreeMap::new();
    loop {
        let mut files = find_files(&arguments.paths)?;
        files.retain(|found| seen.get(&found.path) != Some(&found.modified));
        seen.extend(files.iter().map(|found| (found.path.clone(), found.modified)));
        let failed = if files.is_empty() { 0 } else { add(session, &base, &files, json).await? };
        if !arguments.watch {
            return Ok(failed);
        }
        tokio::time::sleep(WATCH_INTERVAL).await;
    }
}

/// Uploads the files and waits for them; answers how many failed.
async fn add(
    session: &Session,
    base: &KnowledgeBase,
    files: &[FoundFile],
    json: bool,
) -> Result<usize, Failure> {
    let bar = progress_bar(files.len() as u64, json);
    let started = Timestamp::now();
    let mut waiting: Vec<(DocumentId, String)> = Vec::new();
    let mut failed = 0;
    for found in files {
        bar.set_message(found.path.clone());
        match upload(session, base, found).await {
            Ok(answer) => {
                waiting.extend(answer.documents.into_iter().map(|document| (document.id, found.path.clone())))
            }
            Err(failure) => {
                failed += 1;
                report(&bar, json, &found.path, "failed", Some((&failure.code, &failure.message)));
                bar.inc(1);
            }
        }
    }
    for (id, path) in waiting {
        let document = wait_for(session, id).await?;
        let error = document.error.as_ref().map(|error| (error.code.as_str(), error.message.as_str()));
        failed += usize::from(document.status == DocumentStatus::Failed);
        report(&bar, json, &path, document.status.as_str(), error);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let seconds = (Timestamp::now().as_millis() - started.as_millis()) as f64 / 1000.0;
    if !json {
        println!("{} files, {failed} failed, {seconds:.1} s", files.len());
    }
    Ok(failed)
}

async fn upload(session: &Session, base: &KnowledgeBase, found: &FoundFile) -> Result<UploadAnswer, Failure> {
    let name = found.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let file = Part::file(&found.file).await?.file_name(name);
    let form = Form::new().text("path", found.path.clone()).part("file", file);
    let request =
        session.request(Method::POST, &format!("/knowledge-bases/{}/documents", base.id)).multipart(form);
    Ok(send(request).await?.json().await?)
}

async fn wait_for(session: &Session, id: DocumentId) -> Result<Document, Failure> {
    loop {
        let document: Document = session.get(&format!("/documents/{id}")).await?;
        if document.status.is_final() {
            return Ok(document);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// One line for each file: JSON for scripts, above the bar for people.
fn report(bar: &ProgressBar, json: bool, path: &str, status: &str, error: Option<(&str, &str)>) {
    if json {
        let error = error.map(|(code, message)| serde_json::json!({"code": code, "message": message}));
        println!("{}", serde_json::json!({"path": path, "status": status, "error": error}));
    } else if let Some((code, message)) = error {
        bar.suspend(|| println!("{status}  {path}  {code}: {message}"));
    } else if bar.is_hidden() {
        println!("{status}  {path}");
    }
}

fn progress_bar(total: u64, json: bool) -> ProgressBar {
    if json {
        return ProgressBar::hidden();
    }
    // Draws on a terminal only; elsewhere it hides itself, and plain lines are printed.
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style)
}

/// The files below the paths, in a stable order. Names that begin with a dot are passed over below folders.
fn find_files(paths: &[PathBuf]) -> Result<Vec<FoundFile>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let name = path.canonicalize().map_err(|cause| unreadable(path, &cause))?;
        let name = name.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        collect(path, &name, 0, &mut files)?;
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, cause: &std::io::Error) -> Failure {
    Failure::new("unreadable_file", format!("{}: {cause}", path.display()))
}

fn collect(file: &Path, path: &str, depth: usize, files: &mut Vec<FoundFile>) -> Result<(), Failure> {
    let metadata = std::fs::metadata(file).map_err(|cause| unreadable(file, &cause))?;
    if metadata.is_file() {
        if files.len() >= MAX_FILES {
            return Err(Failure::new(
                "too_many_files",
                format!("more than {MAX_FILES} files; add them in parts"),
            ));
        }
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        files.push(FoundFile { file: file.to_owned(), path: path.to_owned(), modified });
        return Ok(());
    }
    if !metadata.is_dir() || depth >= MAX_DEPTH {
        return Ok(());
    }
    for entry in std::fs::read_dir(file).map_err(|cause| unreadable(file, &cause))? {
        let entry = entry.map_err(|cause| unreadable(file, &cause))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            collect(&entry.path(), &format!("{path}/{name}"), depth + 1, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn folders_keep_their_structure_and_hidden_files_stay_out() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("handbook");
        std::fs::create_dir_all(folder.join("a/.git")).unwrap();
        for name in ["a/one.md", "two.md", "a/.hidden", "a/.git/config"] {
            std::fs::write(folder.join(name), "x").unwrap();
        }
        let paths: Vec<String> = find_files(&[folder]).unwrap().into_iter().map(|found| found.path).collect();
        assert_eq!(paths, ["handbook/a/one.md", "handbook/two.md"]);
        assert!(find_files(&[directory.path().join("absent")]).is_err());
    }
}
