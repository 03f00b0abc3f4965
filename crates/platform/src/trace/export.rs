//! Sends finished spans to the collector, a batch at a time.

use super::TraceSettings;
use super::layer::Span;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::Receiver;
use url::Url;

/// The kinds of spans in OTLP: work inside a service, and the answer to a request.
const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
/// The status of a span that failed.
const FAILED: u8 = 2;
/// After a refusal, the next warning comes at the earliest after so long.
const WARN_EVERY: Duration = Duration::from_secs(60);

pub(super) struct Exporter {
    http: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    batch_spans: usize,
    interval: Duration,
    warned: Option<tokio::time::Instant>,
}

impl Exporter {
    pub(super) fn new(url: &Url, settings: &TraceSettings) -> Result<Self, String> {
        // Without the slash, joining would replace the last part of the path.
        let base = format!("{}/", url.as_str().trim_end_matches('/'));
        let url =
            Url::parse(&base).and_then(|base| base.join("v1/traces")).map_err(|cause| cause.to_string())?;
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let name = HeaderName::try_from(name).map_err(|cause| cause.to_string())?;
            headers.insert(name, HeaderValue::try_from(value).map_err(|cause| cause.to_string())?);
        }
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_millis(settings.timeout_ms.max(1)))
            .build()
            .map_err(|cause| cause.to_string())?;
        Ok(Self {
            http,
            url,
            headers,
            batch_spans: settings.batch_spans.max(1),
            interval: settings.interval(),
            warned: None,
        })
    }

    /// Runs until every span's sender is gone.
    pub(super) async fn run(mut self, mut spans: Receiver<Span>) {
        let mut batch = Vec::with_capacity(self.batch_spans);
        loop {
            tokio::time::sleep(self.interval).await;
            while !spans.is_empty() || spans.is_closed() {
                if spans.recv_many(&mut batch, self.batch_spans).await == 0 {
                    return;
                }
                self.send(std::mem::take(&mut batch)).await;
            }
        }
    }

    async fn send(&mut self, batch: Vec<Span>) {
        let count = batch.len() as u64;
        let request = self.http.post(self.url.clone()).headers(self.headers.clone()).json(&document(&batch));
        let result = request.send().await.and_then(reqwest::Response::error_for_status);
        match result {
            Ok(_) => metrics::counter!("anwen_trace_spans_sent_total").increment(count),
            Err(cause) => {
                metrics::counter!("anwen_trace_spans_dropped_total", "reason" => "refused").increment(count);
                if self.warned.is_none_or(|at| at.elapsed() >= WARN_EVERY) {
                    self.warned = Some(tokio::time::Instant::now());
                    tracing::warn!(%cause, count, "the trace collector does not take spans");
                }
            }
        }
    }
}

/// The batch as OTLP's JSON: one resource for each service.
fn document(batch: &[Span]) -> Value {
    let mut services: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for span in batch {
        services.entry(span.service.as_str()).or_default().push(written(span));
    }
    let version = env!("CARGO_PKG_VERSION");
    let resources: Vec<Value> = services
        .into_iter()
        .map(|(service, spans)| {
            let name = if service.is_empty() { "anwen".to_owned() } else { format!("anwen-{service}") };
            let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
            let host = std::env::var("HOSTNAME").unwrap_or_default();
            json!({
                "resource": {"attributes": [
                    attribute("service.name", &name),
                    attribute("service.version", version),
                    attribute("service.instance.id", &host),
                ]},
                "scopeSpans": [{"scope": {"name": "anwen", "version": version}, "spans": spans}],
            })
        })
        .collect();
    json!({"resourceSpans": resources})
}

fn written(span: &Span) -> Value {
    let mut written = json!({
        "traceId": format!("{:032x}", span.context.trace_id),
        "spanId": format!("{:016x}", span.context.span_id),
        "name": span.name,
        "kind": if span.is_request { SERVER } else { INTERNAL },
        "startTimeUnixNano": nanos(span.started),
        "endTimeUnixNano": nanos(span.ended.unwrap_or(span.started)),
        "attributes": span.attributes,
    });
    if let Some(parent) = span.parent_span_id {
        written["parentSpanId"] = json!(format!("{parent:016x}"));
    }
    if span.has_failed {
        written["status"] = json!({"code": FAILED});
    }
    written
}

/// Nanoseconds since 1970, as text like every 64-bit number of OTLP's JSON.
fn nanos(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()).to_string()
}
