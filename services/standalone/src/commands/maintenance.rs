//! `anwen doctor`, `reindex` and `migrate`: on a data directory that no server uses at the time.

use crate::cli::CommonArguments;
use crate::compose::{self, Ports};
use crate::failure::Failure;
use crate::workplace::Workplace;
use anwen_knowledge::ingest::parse::ocr::{OcrSettings, find_program};
use std::time::Duration;

/// Documents that the doctor gave to the workers are waited for this long.
const MEND_TIMEOUT: Duration = Duration::from_secs(3600);
const MEND_POLL: Duration = Duration::from_millis(500);

/// Looks for damage, mends what can be mended and looks again.
pub async fn doctor(common: &CommonArguments) -> Result<(), Failure> {
    let workplace = Workplace::open(common)?;
    let knowledge: anwen_knowledge::Config = workplace.settings.section("knowledge")?;
    let recognition = recognition(&knowledge.ocr);
    let running = compose::start(&workplace, Ports::AnyFree).await?;
    let started = std::time::Instant::now();
    let found = running.knowledge.doctor(true).await?;
    let mut now = running.knowledge.doctor(false).await?;
    while !now.incomplete.is_empty() && found.requeued > 0 && started.elapsed() < MEND_TIMEOUT {
        tokio::time::sleep(MEND_POLL).await;
        now = running.knowledge.doctor(false).await?;
    }
    running.stop().await;
    if common.json {
        println!(
            "{}",
            serde_json::json!({
                "found": found, "now": now, "healthy": now.is_healthy(), "ocr": recognition,
            })
        );
    } else {
        println!("{} documents, {} passages", now.documents, now.chunks);
        println!("originals missing: {}", now.missing_originals.len());
        for id in &now.missing_originals {
            println!("  {id}: upload it again");
        }
        println!("incomplete in an index: {} found, {} left", found.incomplete.len(), now.incomplete.len());
        println!("stranded on their way: {} found, {} left", found.stranded.len(), now.stranded.len());
        println!("stored files that nothing needs: {} (collected while serving)", now.unused_originals);
        println!("text in scans and pictures: {recognition}");
    }
    if now.is_healthy() {
        return Ok(());
    }
    Err(Failure::new("damage_left", "some damage could not be mended; see above"))
}

/// Whether text in pictures can be recognised here. Not being able to is no damage.
fn recognition(settings: &OcrSettings) -> String {
    if !settings.enabled {
        return "recognition is switched off".to_owned();
    }
    match find_program(settings) {
        Some(program) => format!("recognised by {} ({})", program.display(), settings.languages),
        None => "not recognised, Tesseract is not installed (Debian: tesseract-ocr)".to_owned(),
    }
}

/// Builds both indexes again.
pub async fn reindex(common: &CommonArguments) -> Result<(), Failure> {
    let workplace = Workplace::open(common)?;
    let chunks = compose::reindex(&workplace).await?;
    if common.json {
        println!("{}", serde_json::json!({"chunks": chunks}));
    } else {
        println!("{chunks} passages indexed");
    }
    Ok(())
}

/// Brings both databases to this version's schema.
pub async fn migrate(common: &CommonArguments) -> Result<(), Failure> {
    let workplace = Workplace::open(common)?;
    // A server on the same directory would migrate at its own start.
    let _lock = workplace.data.lock()?;
    workplace.web_database().await?.close().await;
    workplace.knowledge_database().await?.close().await;
    if common.json {
        println!("{}", serde_json::json!({"ok": true}));
    } else {
        println!("the databases are up to date");
    }
    Ok(())
}
