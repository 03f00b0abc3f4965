//! Asking several engines at once, under one deadline.

pub mod breaker;
mod budget;
mod health;
mod seat;

use std::sync::Arc;
use std::time::Duration;

use anwen_contract::search::{EngineHealth, EngineReport};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, timeout_at};

use crate::BuildError;
use crate::config::Config;
use crate::engine::{EngineSettings, Query};
use crate::merge::Contribution;
use seat::Seat;

/// All engines of the settings.
pub struct Panel {
    seats: Vec<Arc<Seat>>,
    timeout: Duration,
}

/// What came of a search so far. Contributions and reports stand in the order of the settings.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    pub contributions: Vec<Contribution>,
    pub reports: Vec<EngineReport>,
    pub suggestions: Vec<String>,
}

impl Gathered {
    /// Whether every engine that was asked has answered.
    pub fn is_complete(&self) -> bool {
        self.reports.iter().all(|report| report.state == "ok")
    }

    pub fn has_answers(&self) -> bool {
        !self.contributions.is_empty()
    }
}

impl Panel {
    pub fn new(engines: Vec<EngineSettings>, config: &Config) -> Result<Self, BuildError> {
        let mut seats: Vec<Arc<Seat>> = Vec::with_capacity(engines.len());
        for settings in engines {
            if seats.iter().any(|seat| seat.settings.name == settings.name) {
                let reason = "name: two engines have it".to_owned();
                return Err(BuildError::Engine { name: settings.name, reason });
            }
            seats.push(Arc::new(Seat::new(settings, config)?));
        }
        Ok(Self { seats, timeout: config.engines_timeout() })
    }

    /// Asks every engine that the query names (all, when it names none that is known here). `arrived` is told of each answer
    /// as it comes, with all that has come so far. Ends when all have answered, or at the deadline with what there is.
    pub async fn ask(&self, query: &Query, mut arrived: impl FnMut(&Gathered)) -> Gathered {
        let deadline = Instant::now() + self.timeout;
        let asked = self.asked(query);
        let mut slots: Vec<Option<(EngineReport, Option<Contribution>)>> = vec![None; asked.len()];
        let mut silent = Vec::new();
        let mut suggestions = Vec::new();
        let mut pending: FuturesUnordered<_> = asked
            .iter()
            .enumerate()
            .map(|(at, seat)| async move {
                let started = Instant::now();
                let result = seat.search(query, deadline).await;
                (at, result, started.elapsed())
            })
            .collect();
        while let Ok(Some((at, result, took))) = timeout_at(deadline, pending.next()).await {
            let settings = &asked[at].settings;
            let state = result.as_ref().map_or_else(seat::Outcome::state, |_| "ok");
            count(&settings.name, state);
            let mut report = report(&settings.name, state, took);
            match result {
                Ok(found) => {
                    silent.extend(found.silent.iter().map(|engine| EngineReport {
                        error: Some(engine.reason.clone()),
                        ..self::report(&engine.name, silent_state(&engine.reason), took)
                    }));
                    suggestions.extend(found.suggestions.iter().cloned());
                    let contribution =
                        Contribution { engine: settings.name.clone(), weight: settings.weight(), found };
                    slots[at] = Some((report, Some(contribution)));
                }
                Err(outcome) => {
                    report.error = Some(outcome.to_string());
                    slots[at] = Some((report, None));
                }
            }
            arrived(&gathered(&slots, &silent, &suggestions));
        }
        for (slot, seat) in slots.iter_mut().zip(&asked) {
            if slot.is_none() {
                // Dropping its future ended the request; the seat's own deadline is the same, and one of the two was first.
                count(&seat.settings.name, "timeout");
                let late = EngineReport {
                    error: Some("no answer in time".to_owned()),
                    ..report(&seat.settings.name, "timeout", self.timeout)
                };
                *slot = Some((late, None));
            }
        }
        gathered(&slots, &silent, &suggestions)
    }

    fn asked(&self, query: &Query) -> Vec<&Arc<Seat>> {
        let named: Vec<&Arc<Seat>> =
            self.seats.iter().filter(|seat| query.engines.contains(&seat.settings.name)).collect();
        if named.is_empty() { self.seats.iter().collect() } else { named }
    }

    pub fn health(&self) -> Vec<EngineHealth> {
        self.seats.iter().map(|seat| seat.health()).collect()
    }

    /// Whether an engine can be asked now. Sends nothing: a probe of readiness must not speak to the outside.
    pub fn is_usable(&self) -> bool {
        self.seats.iter().any(|seat| seat.health().paused_until.is_none())
    }
}

fn gathered(
    slots: &[Option<(EngineReport, Option<Contribution>)>],
    silent: &[EngineReport],
    suggestions: &[String],
) -> Gathered {
    let answered = slots.iter().flatten();
    Gathered {
        contributions: answered.clone().filter_map(|(_, contribution)| contribution.clone()).collect(),
        reports: answered.map(|(report, _)| report.clone()).chain(silent.iter().cloned()).collect(),
        suggestions: suggestions.to_vec(),
    }
}

fn report(name: &str, state: &str, took: Duration) -> EngineReport {
    EngineReport {
        name: name.to_owned(),
        state: state.to_owned(),
        took_ms: took.as_secs_f64() * 1000.0,
        error: None,
    }
}

fn silent_state(reason: &str) -> &'static str {
    if reason.contains("timeout") { "timeout" } else { "error" }
}

fn count(name: &str, state: &'static str) {
    metrics::counter!("anwen_search_engine_requests_total", "engine" => name.to_owned(), "state" => state)
        .increment(1);
}
