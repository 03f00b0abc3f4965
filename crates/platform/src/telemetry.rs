//! Logs and metrics of a process.

use crate::trace::{self, OwnSpans, TraceSettings};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt, registry};

/// Histogram buckets for durations, in seconds: from a quick look-up to a slow generation.
const DURATION_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Buckets of what is no quick look-up, by the end of the metric's name; fine enough where a 99th percentile is watched.
const BUCKETS_BY_SUFFIX: &[(&str, &[f64])] = &[
    (
        "_time_to_first_token_seconds",
        &[
            0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 20.0, 30.0,
            60.0, 120.0,
        ],
    ),
    (
        "_inter_token_seconds",
        &[0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.35, 0.5, 1.0, 5.0],
    ),
    (
        "_queue_wait_seconds",
        &[0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0],
    ),
    (
        "_generation_duration_seconds",
        &[
            0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0,
            1800.0,
        ],
    ),
    ("_load_duration_seconds", &[0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0]),
    (
        "_tokens_per_second",
        &[0.5, 1.0, 2.0, 4.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 75.0, 100.0, 200.0, 500.0, 1000.0],
    ),
    (
        "_tokens",
        &[
            8.0, 32.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0, 32768.0, 65536.0,
            131072.0,
        ],
    ),
    ("_batch_size", &[1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 64.0, 128.0, 256.0]),
];

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

/// Directs the process's logs to standard error, and its traces to the collector where one is set. Call once, from
/// `main`, on the runtime.
pub fn init_logs(settings: &LogSettings, traces: &TraceSettings) -> Result<(), TelemetryError> {
    // Libraries that talk at `info` about their own housekeeping are quietened unless asked for.
    let quiet = "tantivy=warn,qdrant_edge=error,sqlx=warn,hyper=warn,tower=warn,lopdf=error,pdf_oxide=error,llama-cpp-2=error";
    let filter = EnvFilter::try_new(format!("{quiet},{}", settings.level))
        .map_err(|cause| TelemetryError::Filter(cause.to_string()))?;
    let spans = trace::layer(traces).map(|layer| layer.with_filter(OwnSpans));
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(true);
    let result = match settings.format {
        LogFormat::Text => registry().with(spans).with(lines.with_filter(filter)).try_init(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(true);
            registry().with(spans).with(lines.with_filter(filter)).try_init()
        }
    };
    result.map_err(|_| TelemetryError::AlreadySet)
}

fn with_buckets() -> Result<PrometheusBuilder, BuildError> {
    BUCKETS_BY_SUFFIX.iter().try_fold(
        PrometheusBuilder::new().set_buckets(DURATION_BUCKETS)?,
        |builder, (suffix, buckets)| {
            builder.set_buckets_for_metric(Matcher::Suffix((*suffix).to_owned()), buckets)
        },
    )
}

/// The process's metrics in Prometheus' text format.
///
/// The recorder is the `metrics` crate's own process-wide one: services that share a process share it, and each
/// metric says by its labels whose it is.
pub fn metrics_handle() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = with_buckets().unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder();
        let handle = recorder.handle();
        // A recorder that stands already (a test's) stays; ours then renders nothing.
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}
