//! Logs and metrics of a process.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Histogram buckets for durations, in seconds: from a quick look-up to a slow generation.
const DURATION_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// `[log]`: what is logged, and how it looks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,anwen_knowledge=debug`.
    pub level: String,
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for log collectors.
    Json,
}

/// The log settings could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("log.level: not a filter: {0}")]
    Filter(String),
    #[error("logs were set up before")]
    AlreadySet,
}

/// Directs the process's logs to standard error. Call once, from `main`.
pub fn init_logs(settings: &LogSettings) -> Result<(), TelemetryError> {
    // Libraries that talk at `info` about their own housekeeping are quietened unless asked for.
    let quiet = "tantivy=warn,qdrant_edge=error,sqlx=warn,hyper=warn,tower=warn,lopdf=error,pdf_oxide=error,llama-cpp-2=error";
    let filter = EnvFilter::try_new(format!("{quiet},{}", settings.level))
        .map_err(|cause| TelemetryError::Filter(cause.to_string()))?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(true);
    let result = match settings.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).try_init(),
    };
    result.map_err(|_| TelemetryError::AlreadySet)
}

/// The process's metrics in Prometheus' text format.
///
/// The recorder is the `metrics` crate's own process-wide one: services that share a process share it, and each
/// metric says by its labels whose it is.
pub fn metrics_handle() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets(DURATION_BUCKETS)
            .unwrap_or_else(|_| PrometheusBuilder::new())
            .build_recorder();
        let handle = recorder.handle();
        // A recorder that stands already (a test's) stays; ours then renders nothing.
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}
