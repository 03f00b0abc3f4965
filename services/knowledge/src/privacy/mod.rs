//! What a knowledge base does about personal data and secrets: its policy ([`Policy`]), applied to a document as it was
//! read and before it is cut ([`screen`]), so that passages, headings and embeddings hold what the policy allows and
//! the stored original stays as it is.

pub mod screen;
pub mod store;

use crate::access::{Access, require_document};
use crate::app::App;
use crate::store::{Connection, reader};
use anwen_contract::privacy::{Desensitisation, DesensitisationMode, DocumentFindings, SensitiveKind};
use anwen_contract::{ApiError, DocumentId, KnowledgeBaseId, Role};
use anwen_platform::DbError;
use anwen_privacy::{Detector, Kind};
use anwen_text::language;
use std::collections::BTreeSet;

/// A policy, ready to be applied.
#[derive(Debug, Clone)]
pub struct Policy {
    pub mode: DesensitisationMode,
    detector: Detector,
}

impl Policy {
    /// Compiles a policy.
    ///
    /// # Errors
    /// `invalid_request` when its word list is too long or has words that are.
    pub fn new(settings: &Desensitisation) -> Result<Self, ApiError> {
        let kinds: Vec<Kind> = match settings.mode {
            DesensitisationMode::Off => Vec::new(),
            _ if settings.kinds.is_empty() => Kind::ALL.to_vec(),
            _ => settings.kinds.iter().map(|kind| detected(*kind)).collect(),
        };
        let detector = Detector::new(kinds, &settings.words)
            .map_err(|cause| ApiError::invalid(format!("desensitisation.words: {cause}")))?;
        Ok(Self { mode: settings.mode, detector })
    }

    /// The name or path of a file as it may be shown; `None` where that is what it is.
    pub fn masked_name(&self, name: &str) -> Option<String> {
        if self.mode != DesensitisationMode::Mask {
            return None;
        }
        let findings = self.detector.find(name);
        (!findings.is_empty()).then(|| anwen_privacy::mask(name, &findings, language(name)).text)
    }
}

/// A policy as it is stored: words trimmed, nothing twice.
///
/// # Errors
/// As [`Policy::new`].
pub fn checked(settings: &Desensitisation) -> Result<Desensitisation, ApiError> {
    let kinds: BTreeSet<SensitiveKind> = settings.kinds.iter().copied().collect();
    // NUL is the one character that PostgreSQL's text does not hold.
    let trimmed = |word: &String| word.replace('\0', "").trim().to_owned();
    let words: BTreeSet<String> =
        settings.words.iter().map(trimmed).filter(|word| !word.is_empty()).collect();
    let checked = Desensitisation {
        mode: settings.mode,
        kinds: kinds.into_iter().collect(),
        words: words.into_iter().collect(),
    };
    // The words are checked although the mode may be off: they are stored.
    Detector::new([Kind::Word], &checked.words)
        .map_err(|cause| ApiError::invalid(format!("desensitisation.words: {cause}")))?;
    Ok(checked)
}

fn detected(kind: SensitiveKind) -> Kind {
    match kind {
        SensitiveKind::Email => Kind::Email,
        SensitiveKind::Phone => Kind::Phone,
        SensitiveKind::IdentityNumber => Kind::IdentityNumber,
        SensitiveKind::BankCard => Kind::BankCard,
        SensitiveKind::Passport => Kind::Passport,
        SensitiveKind::LicencePlate => Kind::LicencePlate,
        SensitiveKind::Address => Kind::Address,
        SensitiveKind::Secret => Kind::Secret,
        SensitiveKind::Word => Kind::Word,
    }
}

fn reported(kind: Kind) -> SensitiveKind {
    match kind {
        Kind::Email => SensitiveKind::Email,
        Kind::Phone => SensitiveKind::Phone,
        Kind::IdentityNumber => SensitiveKind::IdentityNumber,
        Kind::BankCard => SensitiveKind::BankCard,
        Kind::Passport => SensitiveKind::Passport,
        Kind::LicencePlate => SensitiveKind::LicencePlate,
        Kind::Address => SensitiveKind::Address,
        Kind::Secret => SensitiveKind::Secret,
        Kind::Word => SensitiveKind::Word,
    }
}

/// Notes how a document's name and path are shown under a policy.
pub async fn note_shown_names(
    connection: &mut Connection,
    settings: &Desensitisation,
    document: DocumentId,
) -> Result<(), DbError> {
    let Ok(policy) = Policy::new(settings) else { return Ok(()) };
    let Some((name, path)) = store::names_of(connection, document).await? else { return Ok(()) };
    store::note_names(connection, document, policy.masked_name(&name), policy.masked_name(&path)).await
}

/// The same under the policy that the knowledge base has now.
pub async fn note_names_in(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    document: DocumentId,
) -> Result<(), DbError> {
    match store::policy_of(connection, base).await? {
        Some(settings) => note_shown_names(connection, &settings, document).await,
        None => Ok(()),
    }
}

/// The answer to `GET /v1/documents/{id}/findings`: of the newest version, as it was last read.
pub async fn findings(app: &App, access: &Access, id: DocumentId) -> Result<DocumentFindings, ApiError> {
    let mut connection = reader(&app.database).await?;
    require_document(&mut connection, access, id, Role::Editor).await?;
    let found = store::report_of(&mut connection, id).await?;
    let (version, report) = found.ok_or_else(|| ApiError::not_found("document"))?;
    let listed: i64 = i64::try_from(report.items.len()).unwrap_or(i64::MAX);
    Ok(DocumentFindings {
        document_id: id,
        version,
        truncated: report.counts.values().sum::<i64>() > listed,
        counts: report.counts,
        items: report.items,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_the_interface_are_those_of_the_detectors() {
        for kind in SensitiveKind::ALL {
            assert_eq!(kind.as_str(), detected(kind).as_str());
            assert_eq!(reported(detected(kind)), kind);
        }
        assert_eq!(Kind::ALL.len(), SensitiveKind::ALL.len());
    }

    #[test]
    fn a_policy_is_stored_without_repetitions() {
        let settings = Desensitisation {
            mode: DesensitisationMode::Mask,
            kinds: vec![SensitiveKind::Word, SensitiveKind::Email, SensitiveKind::Word],
            words: vec![" 启明星 ".into(), "启明星".into(), "  ".into()],
        };
        let stored = checked(&settings).unwrap();
        assert_eq!(stored.kinds, [SensitiveKind::Email, SensitiveKind::Word]);
        assert_eq!(stored.words, ["启明星"]);
        let too_long = Desensitisation { words: vec!["x".repeat(101)], ..Desensitisation::default() };
        assert!(checked(&too_long).is_err());
    }

    #[test]
    fn names_are_masked_only_where_passages_are() {
        let of = |mode| Policy::new(&Desensitisation { mode, ..Desensitisation::default() }).unwrap();
        let name = "张三13912345678.pdf";
        assert_eq!(of(DesensitisationMode::Mask).masked_name(name).as_deref(), Some("张三[电话].pdf"));
        assert_eq!(of(DesensitisationMode::Mask).masked_name("合同.pdf"), None);
        assert_eq!(of(DesensitisationMode::Flag).masked_name(name), None);
    }
}
