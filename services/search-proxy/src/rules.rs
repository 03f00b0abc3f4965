//! The rules as administrators have set them: kept in a file, compiled when they change.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use anwen_contract::search::{Direction, SearchRules};
use anwen_contract::{ApiError, Asker, ErrorCode};

use crate::BuildError;
use crate::incoming::words::{Filter, ListsTooLarge};
use crate::outgoing::Guard;

const MAX_LISTS: usize = 50;
/// Words of all lists together, and of the organisation.
const MAX_WORDS: usize = 200_000;
const MAX_WORD_CHARS: usize = 64;
const MAX_SITES: usize = 20_000;
const MAX_CATEGORY_CHARS: usize = 40;

/// Rules, ready to be applied.
pub struct Compiled {
    pub rules: SearchRules,
    /// Grows with each change.
    pub revision: u64,
    pub guard: Guard,
    pub incoming: Filter,
}

impl Compiled {
    fn new(rules: SearchRules, revision: u64) -> Result<Self, ListsTooLarge> {
        Ok(Self {
            guard: Guard::new(&rules)?,
            incoming: Filter::new(&rules.lists, Direction::Incoming)?,
            rules,
            revision,
        })
    }

    /// Whether the asker may search.
    pub fn permits(&self, asker: &Asker) -> bool {
        let allowed = &self.rules.allowed_groups;
        allowed.is_empty() || asker.groups.iter().any(|group| allowed.contains(group))
    }
}

/// The rules in use, and where they are kept.
pub struct RulesStore {
    file: Option<PathBuf>,
    current: RwLock<Arc<Compiled>>,
}

impl RulesStore {
    /// Reads the rules. A file that is there and cannot be read is an error: without its rules more would leave than was
    /// agreed.
    pub fn open(file: Option<PathBuf>) -> Result<Self, BuildError> {
        let rules = match &file {
            Some(path) => read(path).map_err(|reason| BuildError::Rules { file: path.clone(), reason })?,
            None => SearchRules::default(),
        };
        let reason = |cause: ListsTooLarge| BuildError::Rules {
            file: file.clone().unwrap_or_default(),
            reason: cause.to_string(),
        };
        let compiled = Compiled::new(rules, 1).map_err(reason)?;
        Ok(Self { current: RwLock::new(Arc::new(compiled)), file })
    }

    pub fn current(&self) -> Arc<Compiled> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the rules. They are in the file before they are used.
    pub fn set(&self, rules: SearchRules) -> Result<Arc<Compiled>, ApiError> {
        check(&rules).map_err(ApiError::invalid)?;
        let Some(file) = &self.file else {
            let message = "the rules cannot be kept; set search_proxy.rules_file";
            return Err(ApiError::new(ErrorCode::Conflict, message));
        };
        let revision = self.current().revision + 1;
        let compiled =
            Compiled::new(rules, revision).map_err(|cause| ApiError::invalid(cause.to_string()))?;
        write(file, &compiled.rules).map_err(ApiError::internal)?;
        let compiled = Arc::new(compiled);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&compiled);
        Ok(compiled)
    }
}

fn read(file: &Path) -> Result<SearchRules, String> {
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|cause| cause.to_string()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(SearchRules::default()),
        Err(cause) => Err(cause.to_string()),
    }
}

/// Written beside the file and moved over it, so that a crash leaves the old or the new rules.
fn write(file: &Path, rules: &SearchRules) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = file.with_extension("new");
    let mut new = std::fs::File::create(&beside)?;
    new.write_all(&serde_json::to_vec_pretty(rules)?)?;
    new.sync_all()?;
    std::fs::rename(&beside, file)
}

/// Bounds that the types do not say.
fn check(rules: &SearchRules) -> Result<(), String> {
    let words =
        rules.lists.iter().map(|list| list.words.len()).sum::<usize>() + rules.organisation_words.len();
    if rules.lists.len() > MAX_LISTS || words > MAX_WORDS {
        return Err(format!("at most {MAX_LISTS} lists and {MAX_WORDS} words are taken"));
    }
    let all_words = rules.lists.iter().flat_map(|list| &list.words).chain(&rules.organisation_words);
    if let Some(word) = all_words.into_iter().find(|word| word.chars().count() > MAX_WORD_CHARS) {
        let start: String = word.chars().take(MAX_WORD_CHARS).collect();
        return Err(format!("`{start}…` has more than {MAX_WORD_CHARS} characters"));
    }
    let categories = rules.lists.iter().map(|list| list.category.trim().chars().count());
    if categories.into_iter().any(|count| count == 0 || count > MAX_CATEGORY_CHARS) {
        return Err(format!("each list needs a category of at most {MAX_CATEGORY_CHARS} characters"));
    }
    let sites = &rules.sites;
    if sites.allow.len() + sites.block.len() + sites.prefer.len() > MAX_SITES {
        return Err(format!("at most {MAX_SITES} sites are taken"));
    }
    if sites.prefer.iter().any(|preference| !(0.0..=10.0).contains(&preference.weight)) {
        return Err("the weight of a site is between 0 and 10".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anwen_contract::search::SitePreference;

    #[test]
    fn rules_outlive_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("inner/rules.json");
        let rules = SearchRules { organisation_words: vec!["凌云".to_owned()], ..SearchRules::default() };
        let store = RulesStore::open(Some(file.clone())).unwrap();
        assert_eq!(store.set(rules.clone()).unwrap().revision, 2);
        assert_eq!(RulesStore::open(Some(file)).unwrap().current().rules, rules);
    }

    #[test]
    fn a_file_that_cannot_be_read_stops_the_service_instead_of_being_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.json");
        std::fs::write(&file, "{\"organisation_words\": [").unwrap();
        assert!(RulesStore::open(Some(file)).is_err());
    }

    #[test]
    fn rules_that_could_not_be_kept_are_refused() {
        let store = RulesStore::open(None).unwrap();
        assert_eq!(store.set(SearchRules::default()).err().unwrap().code, ErrorCode::Conflict);
    }

    #[test]
    fn rules_out_of_bounds_are_refused() {
        let prefer = vec![SitePreference { site: "a.example".to_owned(), weight: 99.0 }];
        let wrong = [
            SearchRules { organisation_words: vec!["x".repeat(65)], ..SearchRules::default() },
            SearchRules {
                sites: anwen_contract::search::SiteRules { prefer, ..Default::default() },
                ..SearchRules::default()
            },
        ];
        for rules in wrong {
            assert!(check(&rules).is_err(), "{rules:?}");
        }
    }
}
