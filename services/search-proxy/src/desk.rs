//! One search from the question to the answer: rules, cache, engines, merging, filters.

use anwen_contract::client::CallContext;
use anwen_contract::search::{Outgoing, SearchAnswer, SearchRequest, SearchResult};
use anwen_contract::{ApiError, Asker, ErrorCode, Timestamp};

use crate::WebAccess;
use crate::cache::{Kept, Key, lifetime};
use crate::engine::{Query, TimeRange};
use crate::fanout::Gathered;
use crate::incoming::sites;
use crate::incoming::words::Verdict;
use crate::merge::{Candidate, Preferences, fused, ordered};
use crate::rules::Compiled;

/// Pages of results that may be asked for.
const MAX_PAGE: u32 = 50;
/// Names of engines in a request.
const MAX_ENGINE_NAMES: usize = 64;

/// A failure that all who wait for one search share.
#[derive(Debug, Clone)]
struct Failure {
    code: ErrorCode,
    message: String,
}

/// A search that may be made: what is sent, under which rules.
pub struct Permitted {
    pub query: Query,
    pub outgoing: Outgoing,
    pub rules: std::sync::Arc<Compiled>,
}

impl WebAccess {
    /// What would leave. Says no to those who may not search at all.
    pub fn outgoing(&self, asker: &Asker, text: &str) -> Result<Outgoing, ApiError> {
        let rules = self.rules.current();
        if !rules.permits(asker) {
            return Err(ApiError::new(
                ErrorCode::Forbidden,
                "you may not search the web; ask an administrator",
            ));
        }
        let text = query_text(text, self.config.max_query_chars)?;
        Ok(rules.guard.prepare(&text, self.config.max_query_chars))
    }

    /// Checks a request against the rules. Nothing has left when this refuses.
    pub fn permitted(
        &self,
        asker: &Asker,
        request: &SearchRequest,
        page: u32,
    ) -> Result<Permitted, ApiError> {
        let time_range = time_range(request.time_range.as_deref())?;
        let engines = request.engines.clone().unwrap_or_default();
        if engines.len() > MAX_ENGINE_NAMES {
            return Err(ApiError::invalid(format!("at most {MAX_ENGINE_NAMES} engines can be named")));
        }
        let outgoing = self.outgoing(asker, &request.query)?;
        let rules = self.rules.current();
        if outgoing.blocked {
            metrics::counter!("anwen_search_blocked_total", "direction" => "outgoing").increment(1);
            let message = "the rules of this server do not let this query leave";
            return Err(ApiError::new(ErrorCode::SearchBlocked, message));
        }
        if outgoing.needs_confirmation && !request.confirmed {
            let message = "look at what would be sent (POST /v1/outgoing), and confirm it";
            return Err(ApiError::new(ErrorCode::SearchNotConfirmed, message));
        }
        let query = Query {
            engines,
            language: request.language.clone().filter(|tag| is_language(tag)),
            time_range,
            safe_search: rules.rules.safe_search,
            page: page.clamp(1, MAX_PAGE),
            ..Query::new(outgoing.query.clone())
        };
        Ok(Permitted { query, outgoing, rules })
    }

    pub async fn search(
        &self,
        permitted: Permitted,
        top_k: Option<u32>,
        context: &CallContext,
    ) -> Result<(SearchAnswer, Vec<String>), ApiError> {
        let Permitted { query, outgoing, rules } = permitted;
        let key = Key::of(&query, rules.revision);
        let found = self.cache.get_or(key, async { self.ask(&query, &rules, context, |_| {}).await }).await;
        let (kept, cached) = found.map_err(|failure| ApiError::new(failure.code, failure.message))?;
        let top_k = self.top_k(top_k);
        let answer = SearchAnswer {
            results: kept.results.iter().take(top_k).cloned().collect(),
            engines: kept.engines.clone(),
            redactions: outgoing.redactions,
            sent: outgoing.query,
            cached,
        };
        Ok((answer, kept.suggestions.clone()))
    }

    /// The search without the cache; `arrived` sees the list as it grows.
    pub async fn search_in_steps(
        &self,
        permitted: Permitted,
        top_k: Option<u32>,
        context: &CallContext,
        mut arrived: impl FnMut(SearchAnswer) + Send,
    ) -> Result<SearchAnswer, ApiError> {
        let Permitted { query, outgoing, rules } = permitted;
        let top_k = self.top_k(top_k);
        let answer = |mut results: Vec<SearchResult>, engines| {
            results.truncate(top_k);
            let Outgoing { redactions, ref query, .. } = outgoing;
            SearchAnswer { results, engines, redactions, sent: query.clone(), cached: false }
        };
        let kept = self
            .ask(&query, &rules, context, |gathered| {
                // What is shown on the way does not wait for embeddings.
                if let Ok(results) = self.merged(&query, &rules, fused(&gathered.contributions), None) {
                    arrived(answer(results, gathered.reports.clone()));
                }
            })
            .await
            .map_err(|failure| ApiError::new(failure.code, failure.message))?;
        Ok(answer(kept.results, kept.engines))
    }

    fn top_k(&self, asked: Option<u32>) -> usize {
        asked.map_or(self.config.max_results, |top_k| top_k as usize).clamp(1, self.config.max_results)
    }

    async fn ask(
        &self,
        query: &Query,
        rules: &Compiled,
        context: &CallContext,
        arrived: impl FnMut(&Gathered),
    ) -> Result<Kept, Failure> {
        let gathered = self.panel.ask(query, arrived).await;
        if !gathered.has_answers() {
            let message = "no search engine answered; try again later".to_owned();
            return Err(Failure { code: ErrorCode::SearchUnavailable, message });
        }
        let candidates = fused(&gathered.contributions);
        let nearness = match &self.meaning {
            Some(meaning) => {
                meaning.nearness(&query.text, candidates.iter().map(Candidate::text), context).await
            }
            None => None,
        };
        let results = self.merged(query, rules, candidates, nearness.as_deref())?;
        Ok(Kept {
            results,
            lifetime: lifetime(&self.config, query, gathered.is_complete()),
            engines: gathered.reports,
            suggestions: gathered.suggestions,
        })
    }

    fn merged(
        &self,
        query: &Query,
        rules: &Compiled,
        candidates: Vec<Candidate>,
        nearness: Option<&[f32]>,
    ) -> Result<Vec<SearchResult>, Failure> {
        let preferences = Preferences {
            query: &query.text,
            // What the filters leave out is filled up from below.
            top_k: usize::MAX,
            now: Timestamp::now(),
            sites: &rules.rules.sites.prefer,
            max_per_site: self.config.max_per_site,
            prefers_new: query.time_range.is_some(),
        };
        let mut results = Vec::new();
        for result in ordered(candidates, &preferences, nearness) {
            if results.len() >= self.config.max_results {
                break;
            }
            results.extend(admitted(result, rules)?);
        }
        Ok(results)
    }
}

/// A result as the rules let it in: as it is, masked, flagged, or not at all.
fn admitted(mut result: SearchResult, rules: &Compiled) -> Result<Option<SearchResult>, Failure> {
    if !sites::permits(&rules.rules.sites, &result.url) {
        return Ok(None);
    }
    for text in [&mut result.title, &mut result.snippet] {
        match rules.incoming.judge(text) {
            Verdict::Block { .. } => {
                metrics::counter!("anwen_search_blocked_total", "direction" => "incoming").increment(1);
                let message = "the rules of this server do not let these results in".to_owned();
                return Err(Failure { code: ErrorCode::SearchBlocked, message });
            }
            Verdict::Drop { .. } => return Ok(None),
            Verdict::Keep { text: kept, flags, .. } => {
                *text = kept;
                result.flags.extend(flags);
            }
        }
    }
    result.flags.sort();
    result.flags.dedup();
    Ok(Some(result))
}

fn query_text(text: &str, max_chars: usize) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ApiError::invalid("the query is empty"));
    }
    if text.chars().count() > max_chars {
        return Err(ApiError::invalid(format!("the query has more than {max_chars} characters")));
    }
    Ok(text.to_owned())
}

fn time_range(text: Option<&str>) -> Result<Option<TimeRange>, ApiError> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => match TimeRange::parse(text) {
            Some(range) => Ok(Some(range)),
            None => Err(ApiError::invalid("time_range is one of day, week, month, year")),
        },
    }
}

/// A language tag goes into addresses of engines.
fn is_language(tag: &str) -> bool {
    (2..=16).contains(&tag.len())
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !matches!(tag, "all" | "auto" | "und")
}
