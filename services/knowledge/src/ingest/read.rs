//! Reading files through the sandbox.

use super::pipeline::ReadDocument;
use anwen_parse::document::ParsedDocument;
use anwen_parse::parse::ParseFailure;
use anwen_parse::parse::ocr::OcrSettings;
use anwen_parse::sandbox::{Extras, ParseLimits, ParseWorker, parse_in_child_with};
use async_trait::async_trait;
use std::path::Path;

/// Reads each file in a child process of its own.
pub struct SandboxedReader {
    worker: ParseWorker,
    limits: ParseLimits,
    ocr: OcrSettings,
}

impl SandboxedReader {
    pub fn new(worker: ParseWorker, limits: ParseLimits, ocr: OcrSettings) -> Self {
        Self { worker, limits, ocr }
    }
}

#[async_trait]
impl ReadDocument for SandboxedReader {
    async fn read(
        &self,
        path: &Path,
        name: &str,
        password: Option<&str>,
    ) -> Result<ParsedDocument, ParseFailure> {
        let extras = Extras { ocr: &self.ocr, password };
        parse_in_child_with(&self.worker, &self.limits, &extras, path, name).await
    }
}
