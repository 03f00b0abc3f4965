//! Answers that are kept for a while, and one search for all who ask the same at the same time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anwen_contract::search::{EngineReport, SearchResult};
use moka::Expiry;
use moka::future::Cache;

use crate::config::Config;
use crate::engine::{Query, TimeRange};

/// What a search found, before it is cut to what one caller asked for.
#[derive(Debug)]
pub struct Kept {
    pub results: Vec<SearchResult>,
    pub engines: Vec<EngineReport>,
    pub suggestions: Vec<String>,
    pub lifetime: Duration,
}

impl Kept {
    fn bytes(&self) -> u32 {
        let results = self.results.iter().map(|result| {
            let engines: usize = result.engines.iter().map(|engine| engine.len() + size_of::<String>()).sum();
            size_of::<SearchResult>() + result.title.len() + result.url.len() + result.snippet.len() + engines
        });
        let reports = self.engines.len() * (size_of::<EngineReport>() + 16);
        u32::try_from(results.sum::<usize>() + reports).unwrap_or(u32::MAX)
    }
}

/// By what two searches are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    query: Query,
    /// Other rules may let other results in.
    rules_revision: u64,
}

impl Key {
    pub fn of(query: &Query, rules_revision: u64) -> Self {
        let mut query = query.clone();
        query.text = anwen_text::normalize(&query.text).split_whitespace().collect::<Vec<_>>().join(" ");
        query.language = query.language.map(|tag| tag.to_ascii_lowercase());
        query.engines.sort();
        query.engines.dedup();
        Self { query, rules_revision }
    }
}

struct ByLifetime;

impl Expiry<Key, Arc<Kept>> for ByLifetime {
    fn expire_after_create(&self, _: &Key, kept: &Arc<Kept>, _: Instant) -> Option<Duration> {
        Some(kept.lifetime)
    }
}

/// Keeps answers within a number of bytes.
pub struct SearchCache {
    cache: Cache<Key, Arc<Kept>>,
}

impl SearchCache {
    pub fn new(config: &Config) -> Self {
        let weigher = |key: &Key, kept: &Arc<Kept>| {
            kept.bytes().saturating_add(u32::try_from(key.query.text.len()).unwrap_or(u32::MAX))
        };
        let cache = Cache::builder()
            .max_capacity(config.cache_bytes)
            .weigher(weigher)
            .expire_after(ByLifetime)
            .build();
        Self { cache }
    }

    /// What is kept for `key`, or else what `search` finds, which runs once for all who wait for it. The flag says whether it
    /// was there.
    pub async fn get_or<E: Clone + Send + Sync + 'static>(
        &self,
        key: Key,
        search: impl Future<Output = Result<Kept, E>>,
    ) -> Result<(Arc<Kept>, bool), E> {
        let search = async move { search.await.map(Arc::new) };
        let entry = self.cache.entry(key).or_try_insert_with(search).await;
        entry.map(|entry| (Arc::clone(entry.value()), !entry.is_fresh())).map_err(|error| (*error).clone())
    }
}

/// How long an answer is kept.
pub fn lifetime(config: &Config, query: &Query, is_complete: bool) -> Duration {
    let seconds = match query.time_range {
        _ if !is_complete => config.cache_partial_s,
        Some(TimeRange::Day | TimeRange::Week) => config.cache_recent_s,
        _ => config.cache_s,
    };
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_query_have_one_key() {
        let key = |text: &str, revision| Key::of(&Query::new(text), revision);
        assert_eq!(key("  Pump  ＳＥＡＬ ", 1), key("pump seal", 1));
        assert_eq!(key("機械", 1), key("机械", 1));
        assert_ne!(key("pump", 1), key("pumps", 1));
        assert_ne!(key("pump", 1), key("pump", 2));
        let german = Query { language: Some("de".to_owned()), ..Query::new("pump") };
        assert_ne!(Key::of(&german, 1), key("pump", 1));
    }

    #[tokio::test]
    async fn those_who_ask_the_same_at_once_wait_for_one_search() {
        let cache = SearchCache::new(&Config::default());
        let searches = std::sync::atomic::AtomicU32::new(0);
        let one = || async {
            cache
                .get_or(Key::of(&Query::new("x"), 1), async {
                    tokio::task::yield_now().await;
                    searches.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    Ok::<_, String>(Kept {
                        results: Vec::new(),
                        engines: Vec::new(),
                        suggestions: Vec::new(),
                        lifetime: Duration::from_secs(60),
                    })
                })
                .await
        };
        let answers = futures::future::join_all((0..50).map(|_| one())).await;
        assert_eq!(searches.into_inner(), 1);
        assert_eq!(answers.iter().filter(|answer| !answer.as_ref().unwrap().1).count(), 1);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let cache = SearchCache::new(&Config::default());
        let key = || Key::of(&Query::new("x"), 1);
        let failed = cache.get_or(key(), async { Err::<Kept, _>("no".to_owned()) }).await;
        assert_eq!(failed.err().as_deref(), Some("no"));
        let kept =
            Kept { results: vec![], engines: vec![], suggestions: vec![], lifetime: Duration::from_secs(60) };
        assert!(!cache.get_or(key(), async { Ok::<_, String>(kept) }).await.unwrap().1);
    }

    #[test]
    fn what_is_new_or_incomplete_is_kept_for_less() {
        let config = Config::default();
        let recent = Query { time_range: Some(TimeRange::Day), ..Query::new("x") };
        let seconds = |query: &Query, complete| lifetime(&config, query, complete).as_secs();
        assert_eq!(
            (seconds(&Query::new("x"), true), seconds(&recent, true), seconds(&recent, false)),
            (900, 120, 30)
        );
    }
}
