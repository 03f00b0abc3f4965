//! Gives spans their identifiers and times, and hands finished ones to the exporter.

use super::{TRACE_PARENT_FIELD, TraceContext, context_of};
use serde_json::{Value, json};
use std::fmt::Debug;
use std::time::SystemTime;
use tokio::sync::mpsc::Sender;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

/// Attributes of one span; more are left out.
const MAX_ATTRIBUTES: usize = 32;
/// Characters of an attribute's text; the rest is cut off.
const MAX_TEXT_CHARS: usize = 256;
/// Only our own code's spans: they hold no text of documents.
const TARGET: &str = "anwen";
/// The field that ends a request's span: its answer is then on its way, though what it started may go on.
const STATUS_FIELD: &str = "status";

/// A span on its way.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub name: String,
    /// The service that it belongs to; its parent's where it does not say.
    pub service: String,
    pub context: TraceContext,
    pub parent_span_id: Option<u64>,
    /// It answers a request of another process or of a client.
    pub is_request: bool,
    pub started: SystemTime,
    pub ended: Option<SystemTime>,
    /// In OTLP's JSON.
    pub attributes: Vec<Value>,
    pub has_failed: bool,
}

/// Makes spans for the exporter.
pub struct TraceLayer {
    sample_ratio: f64,
    sender: Sender<Span>,
}

impl TraceLayer {
    pub(crate) fn new(sample_ratio: f64, sender: Sender<Span>) -> Self {
        Self { sample_ratio, sender }
    }

    fn decides_to_sample(&self) -> bool {
        // The lowest bits of a random UUID are evenly distributed.
        let share = f64::from(uuid::Uuid::new_v4().as_u64_pair().1 as u32) / f64::from(u32::MAX);
        share < self.sample_ratio || self.sample_ratio >= 1.0
    }
}

/// What the layer looks at, whatever the log's level is.
pub(crate) struct OwnSpans;

impl<S> Filter<S> for OwnSpans {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        metadata.is_span()
            && metadata.target().starts_with(TARGET)
            && *metadata.level() <= tracing::Level::INFO
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let around = span.parent().and_then(|parent| {
            let service = parent
                .scope()
                .find_map(|span| span.extensions().get::<Span>().map(|span| span.service.clone()))?;
            Some((context_of(&parent)?, service))
        });
        let remote = fields.trace_parent.as_deref().and_then(TraceContext::parse);
        let parent = around.as_ref().map(|(parent, _)| *parent).or(remote);
        let (trace, parent_span_id) = match parent {
            Some(parent) => (parent.child(), Some(parent.span_id)),
            None => (TraceContext::root(self.decides_to_sample()), None),
        };
        let name = match (&fields.method, &fields.route) {
            (Some(method), Some(route)) => format!("{method} {route}"),
            _ => span.name().to_owned(),
        };
        let service = fields.service.or_else(|| around.map(|(_, service)| service)).unwrap_or_default();
        let made = Span {
            name,
            service,
            context: trace,
            parent_span_id,
            is_request: fields.route.is_some(),
            started: SystemTime::now(),
            ended: None,
            attributes: fields.attributes,
            has_failed: false,
        };
        span.extensions_mut().insert(made);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(recorded) = span.extensions_mut().get_mut::<Span>() {
            if let Some(status) = fields.status {
                recorded.ended = Some(SystemTime::now());
                recorded.has_failed = status >= 500;
            }
            let room = MAX_ATTRIBUTES.saturating_sub(recorded.attributes.len());
            recorded.attributes.extend(fields.attributes.into_iter().take(room));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(mut finished) = span.extensions_mut().remove::<Span>() else { return };
        if !finished.context.is_sampled {
            return;
        }
        finished.ended.get_or_insert_with(SystemTime::now);
        if self.sender.try_send(finished).is_err() {
            metrics::counter!("anwen_trace_spans_dropped_total", "reason" => "queue_full").increment(1);
        }
    }
}

/// Reads a span's fields.
#[derive(Default)]
struct Fields {
    service: Option<String>,
    method: Option<String>,
    route: Option<String>,
    trace_parent: Option<String>,
    status: Option<u64>,
    attributes: Vec<Value>,
}

impl Fields {
    fn text(&mut self, name: &str, text: &str) {
        let text: String = text.chars().take(MAX_TEXT_CHARS).collect();
        match name {
            "service" => self.service = Some(text),
            TRACE_PARENT_FIELD => self.trace_parent = Some(text),
            _ => {
                match name {
                    "method" => self.method = Some(text.clone()),
                    "route" => self.route = Some(text.clone()),
                    _ => {}
                }
                self.attribute(name, json!({"stringValue": text}));
            }
        }
    }

    fn attribute(&mut self, name: &str, value: Value) {
        let key = match name {
            "method" => "http.request.method",
            "route" => "http.route",
            STATUS_FIELD => "http.response.status_code",
            other => other,
        };
        if self.attributes.len() < MAX_ATTRIBUTES {
            self.attributes.push(json!({"key": key, "value": value}));
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field.name(), &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == STATUS_FIELD {
            self.status = Some(value);
        }
        // OTLP's JSON writes 64-bit integers as text.
        self.attribute(field.name(), json!({"intValue": value.to_string()}));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.attribute(field.name(), json!({"intValue": value.to_string()}));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.attribute(field.name(), json!({"doubleValue": value}));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.attribute(field.name(), json!({"boolValue": value}));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    /// Runs `work` under the layer, and answers the spans that were finished.
    fn spans_of(sample_ratio: f64, work: impl FnOnce()) -> Vec<Span> {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
        let layer = TraceLayer::new(sample_ratio, sender).with_filter(OwnSpans);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        std::iter::from_fn(|| receiver.try_recv().ok()).collect()
    }

    #[test]
    fn a_span_inherits_the_service_and_the_trace_of_the_one_around_it() {
        let spans = spans_of(1.0, || {
            let outer = tracing::info_span!("request", service = "web", method = "GET", route = "/x");
            let _entered = outer.enter();
            let _inner = tracing::info_span!("answer").entered();
        });
        let (inner, outer) = (&spans[0], &spans[1]);
        assert_eq!((inner.name.as_str(), outer.name.as_str()), ("answer", "GET /x"));
        assert_eq!(inner.service, "web");
        assert_eq!(inner.context.trace_id, outer.context.trace_id);
        assert_eq!(inner.parent_span_id, Some(outer.context.span_id));
    }

    #[test]
    fn a_request_continues_the_trace_of_its_caller_and_keeps_its_decision() {
        for (flags, sent) in [("01", 1), ("00", 0)] {
            let header = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
            let spans = spans_of(1.0, || {
                tracing::info_span!("request", service = "knowledge", trace_parent = header).in_scope(|| {
                    assert!(
                        super::super::current_parent().unwrap().contains("0af7651916cd43dd8448eb211c80319c")
                    );
                });
            });
            assert_eq!(spans.len(), sent, "{flags}");
            assert!(spans.iter().all(|span| span.parent_span_id == Some(0xb7ad_6b71_6920_3331)));
        }
    }

    #[test]
    fn a_status_ends_a_request_whose_work_goes_on() {
        let spans = spans_of(1.0, || {
            let request = tracing::info_span!("request", service = "web", status = tracing::field::Empty);
            let work = request.in_scope(|| tracing::info_span!("answer"));
            request.record("status", 503_u64);
            drop(request);
            drop(work);
        });
        assert_eq!(spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), ["answer", "request"]);
        assert!(spans[1].has_failed);
        assert!(spans[1].ended.unwrap() <= spans[0].ended.unwrap());
    }

    #[test]
    fn nothing_is_sent_of_what_is_not_sampled() {
        assert!(spans_of(0.0, || drop(tracing::info_span!("request", service = "web"))).is_empty());
    }
}
