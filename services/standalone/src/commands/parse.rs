//! `anwen parse FILE`: one file, read as the server would, in a limited process.

use crate::cli::{CommonArguments, ParseArguments, ParseFormat};
use crate::compose::this_program;
use crate::failure::Failure;
use crate::workplace::read_settings;
use anwen_knowledge::ingest::document::{to_markdown, to_text};
use anwen_knowledge::ingest::sandbox::parse_in_child_with_ocr;

pub async fn run(common: &CommonArguments, arguments: ParseArguments) -> Result<(), Failure> {
    let settings: anwen_knowledge::Config = read_settings(common)?.section("knowledge")?;
    let worker = this_program()?;
    let name = arguments.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = arguments.file.canonicalize()?;
    let document = parse_in_child_with_ocr(&worker, &settings.parser, &settings.ocr, &path, &name)
        .await
        .map_err(|failure| Failure::new(failure.code.as_str(), failure.message))?;
    match arguments.format {
        ParseFormat::Text => print!("{}", to_text(&document)),
        ParseFormat::Markdown => print!("{}", to_markdown(&document)),
        ParseFormat::Json => {
            println!("{}", serde_json::to_string_pretty(&document).map_err(anyhow::Error::from)?)
        }
    }
    Ok(())
}
