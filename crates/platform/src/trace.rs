//! Traces: what each service did for one request, sent to a collector as OTLP over HTTP.
//!
//! The spans are `tracing`'s own. A layer gives each the identifiers of W3C trace context; the scaffold reads them from
//! a request, and the typed clients write them into the next one. Without a collector in the settings there is no layer,
//! and nothing of this costs anything.

mod export;
mod layer;

pub(crate) use layer::OwnSpans;
pub use layer::TraceLayer;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use tracing::Subscriber;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::{LookupSpan as _, SpanRef};
use url::Url;
use uuid::Uuid;

/// The field of a span that names the context which it continues.
pub(crate) const TRACE_PARENT_FIELD: &str = "trace_parent";

/// `[traces]`: where spans are sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TraceSettings {
    /// A collector that takes OTLP over HTTP, such as `http://collector:4318/`; `v1/traces` is added. Absent: no spans
    /// are made.
    pub otlp_url: Option<Url>,
    /// Headers of each request to the collector, such as a key.
    pub headers: BTreeMap<String, String>,
    /// The share of traces that are kept, from 0 to 1, where the caller has not decided.
    pub sample_ratio: f64,
    /// Spans that wait to be sent at most; more are dropped and counted.
    pub queue_spans: usize,
    /// Spans that are sent together at most.
    pub batch_spans: usize,
    /// How often what waits is sent.
    pub interval_ms: u64,
    /// Time for one request to the collector; what it does not take is dropped and counted.
    pub timeout_ms: u64,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self {
            otlp_url: None,
            headers: BTreeMap::new(),
            sample_ratio: 1.0,
            queue_spans: 4_096,
            batch_spans: 512,
            interval_ms: 1_000,
            timeout_ms: 5_000,
        }
    }
}

impl TraceSettings {
    fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms.max(1))
    }
}

/// Makes the layer and starts its exporter; `None` where no collector is set. Needs a tokio runtime.
pub(crate) fn layer(settings: &TraceSettings) -> Option<TraceLayer> {
    let url = settings.otlp_url.clone()?;
    let (sender, receiver) = tokio::sync::mpsc::channel(settings.queue_spans.max(1));
    match export::Exporter::new(&url, settings) {
        Ok(exporter) => {
            tokio::spawn(exporter.run(receiver));
            Some(TraceLayer::new(settings.sample_ratio, sender))
        }
        Err(cause) => {
            eprintln!("traces.otlp_url: traces stay off: {cause}");
            None
        }
    }
}

/// Which trace and which span of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    pub trace_id: u128,
    pub span_id: u64,
    /// Whether its spans are sent.
    pub is_sampled: bool,
}

impl TraceContext {
    /// The first span of a new trace.
    fn root(is_sampled: bool) -> Self {
        Self { trace_id: Uuid::new_v4().as_u128(), span_id: new_span_id(), is_sampled }
    }

    /// A span below this one.
    fn child(self) -> Self {
        Self { span_id: new_span_id(), ..self }
    }

    /// Reads version 00 of the header; `None` for what is not one.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_sized = version.len() == 2 && trace.len() == 32 && span.len() == 16 && flags.len() == 2;
        if !is_sized || version == "ff" || ![version, trace, span, flags].into_iter().all(is_hex) {
            return None;
        }
        let (trace_id, span_id) =
            (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
        let flags = u8::from_str_radix(flags, 16).ok()?;
        (trace_id != 0 && span_id != 0).then_some(Self { trace_id, span_id, is_sampled: flags & 1 == 1 })
    }

    /// The header's value.
    pub fn to_header(self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.is_sampled))
    }
}

fn new_span_id() -> u64 {
    // The low half of a random UUID has its two fixed bits at the top and is never zero.
    Uuid::new_v4().as_u64_pair().1
}

/// The header for a call that is made now: the span that this code runs in. `None` where there are no traces.
pub fn current_parent() -> Option<String> {
    tracing::dispatcher::get_default(|dispatch| {
        let registry = dispatch.downcast_ref::<Registry>()?;
        let current = dispatch.current_span();
        let span = registry.span(current.id()?)?;
        context_of(&span).map(TraceContext::to_header)
    })
}

/// The context of a span, or of the nearest one around it that has one.
fn context_of<S>(span: &SpanRef<'_, S>) -> Option<TraceContext>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    span.scope().find_map(|span| span.extensions().get::<layer::Span>().map(|span| span.context))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_context_survives_its_header() {
        let context = TraceContext::root(true);
        assert_eq!(TraceContext::parse(&context.to_header()), Some(context));
        assert!(!TraceContext::parse(&TraceContext::root(false).to_header()).unwrap().is_sampled);
    }

    #[test]
    fn what_is_no_context_is_not_followed() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(TraceContext::parse(good).is_some());
        for bad in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-+7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_child_stays_in_its_trace() {
        let root = TraceContext::root(true);
        let child = root.child();
        assert_eq!(child.trace_id, root.trace_id);
        assert_ne!(child.span_id, root.span_id);
    }
}
