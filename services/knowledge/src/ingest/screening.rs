//! What the policy on sensitive content means for a document on its way.

use crate::jobs::JobFailure;
use crate::privacy::Policy;
use crate::privacy::screen::Report;
use anwen_contract::ErrorCode;
use anwen_contract::knowledge::Notice;
use anwen_contract::privacy::DesensitisationMode;
use anwen_parse::document::ParsedDocument;

/// The code of the warning that sensitive content was found and left as it is.
const FOUND: &str = "sensitive_content_found";
/// The code of the warning that sensitive content was masked.
const MASKED: &str = "sensitive_content_masked";

/// A document as its knowledge base's policy lets it through.
pub struct Screened {
    pub document: ParsedDocument,
    pub report: Report,
    /// The name that is embedded with the passages.
    pub shown_name: String,
    mode: DesensitisationMode,
}

impl Screened {
    /// Blocks; call it off the async runtime.
    pub fn new(policy: &Policy, name: String, mut document: ParsedDocument) -> Self {
        let report = policy.screen(&name, &mut document);
        let shown_name = policy.masked_name(&name).unwrap_or(name);
        Self { document, report, shown_name, mode: policy.mode }
    }

    pub fn is_refused(&self) -> bool {
        self.mode == DesensitisationMode::Block && self.report.total() > 0
    }
}

/// What the document's list says of it.
pub fn warning(screened: &Screened) -> Option<Notice> {
    let count = screened.report.total();
    let (code, done) = match screened.mode {
        DesensitisationMode::Flag => (FOUND, "left as they are"),
        DesensitisationMode::Mask => (MASKED, "masked"),
        DesensitisationMode::Off | DesensitisationMode::Block => return None,
    };
    let message = format!("{count} places with sensitive content were found and {done}; see the findings");
    (count > 0).then(|| Notice { code: code.to_owned(), message })
}

/// Why a document is refused. The places are in its findings; the values are nowhere.
pub fn refusal(report: &Report) -> JobFailure {
    let kinds: Vec<String> = report.counts.iter().map(|(kind, count)| format!("{kind} ({count})")).collect();
    JobFailure::Permanent {
        code: ErrorCode::SensitiveContent,
        message: format!(
            "the document holds content that this knowledge base does not take: {}; see the findings",
            kinds.join(", ")
        ),
    }
}
