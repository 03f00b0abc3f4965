//! What stands in for Tesseract: it answers at once, so that what is fuzzed is what is around it (decoding and drawing of
//! pictures, the answer's layout).

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anwen_parse::parse::ocr::OcrSettings;

/// Every so many inputs are read with recognition, as pages must be drawn for it.
const ONE_IN: u64 = 8;
/// Pages of one input that are drawn.
const MAX_PAGES: u32 = 2;
/// Processor time for each page that is drawn, beyond the input's own (the parser's child process gives as much).
pub const CPU_SECONDS: u64 = 3 * MAX_PAGES as u64;

const ANSWER: &str = "<html><body><div class='ocr_page' title='bbox 0 0 600 800'><span class='ocr_line' title='bbox 50 50 500 80; baseline 0 -5; x_size 30; x_descenders 6; x_ascenders 6'><span class='ocrx_word' title='bbox 50 50 120 80; x_wconf 96'>recognised</span> <span class='ocrx_word' title='bbox 130 50 200 80; x_wconf 91'>文字</span></span></div></body></html>";

/// Writes the program into the folder.
pub fn settings(folder: &Path) -> std::io::Result<OcrSettings> {
    let program = folder.join("recognise");
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(&program)?;
    write!(file, "#!/bin/sh\ncat >/dev/null\ncat <<'END'\n{ANSWER}\nEND\n")?;
    Ok(OcrSettings {
        program,
        max_pages: MAX_PAGES,
        parallel_pages: 1,
        page_timeout_ms: 5_000,
        document_timeout_ms: 20_000,
        ..OcrSettings::default()
    })
}

pub fn is_used_for(input: u64) -> bool {
    input.is_multiple_of(ONE_IN)
}
