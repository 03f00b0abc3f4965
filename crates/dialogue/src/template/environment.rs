//! Jinja as chat templates expect it: Python's text of values, Hugging Face's functions, bounded output.

use std::io;

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State};
use regex::Regex;
use time::OffsetDateTime;

use super::TemplateError;
use super::{python, strftime};

/// A prompt longer than this is refused: more than any model reads.
const MAX_PROMPT_BYTES: usize = 64 * 1024 * 1024;
/// Depth of macros that call each other.
const MAX_RECURSION: usize = 100;

/// What a template raises by `raise_exception`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String);

/// The template's text in a form that the engine takes: `{% generation %}`, which marks what is trained on, becomes a
/// block without effect.
pub(super) fn prepare(source: &str) -> Result<String, TemplateError> {
    let generation = Regex::new(r"\{%(-?)\s*(end)?generation\s*(-?)%\}")
        .map_err(|error| TemplateError::Syntax(error.to_string()))?;
    let replaced = generation.replace_all(source, |found: &regex::Captures<'_>| {
        let block = if found.get(2).is_some() { "endif" } else { "if true" };
        format!("{{%{} {block} {}%}}", &found[1], &found[3])
    });
    Ok(replaced.into_owned())
}

/// Whether the template can be read.
pub(super) fn check(source: &str) -> Result<(), TemplateError> {
    let environment = environment(OffsetDateTime::UNIX_EPOCH);
    environment.template_from_str(source).map(drop).map_err(|error| TemplateError::Syntax(describe(&error)))
}

/// Renders `source` with the variables of `context`.
pub(super) fn render(
    source: &str,
    context: &serde_json::Value,
    now: OffsetDateTime,
) -> Result<String, TemplateError> {
    let environment = environment(now);
    let template =
        environment.template_from_str(source).map_err(|error| TemplateError::Syntax(describe(&error)))?;
    let mut prompt = Bounded { bytes: Vec::new(), overflowed: false };
    let rendered = template.render_captured_to(Value::from_serialize(context), &mut prompt);
    if prompt.overflowed {
        return Err(TemplateError::PromptTooLong(MAX_PROMPT_BYTES));
    }
    match rendered {
        Ok(_) => String::from_utf8(prompt.bytes).map_err(|error| TemplateError::Failed(error.to_string())),
        Err(error) => Err(raised(&error).map_or_else(
            || TemplateError::Failed(describe(&error)),
            |message| TemplateError::Refused(message.to_owned()),
        )),
    }
}

struct Bounded {
    bytes: Vec<u8>,
    overflowed: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > MAX_PROMPT_BYTES {
            self.overflowed = true;
            return Err(io::Error::other("the prompt is too long"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn environment(now: OffsetDateTime) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_recursion_limit(MAX_RECURSION);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_unknown_method_callback(method);
    environment.set_formatter(write_as_python);
    environment.add_filter("tojson", to_json);
    environment.add_filter("string", |value: &Value| python::text(value));
    environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, message.clone()).with_source(Raised(message)))
    });
    environment.add_function("strftime_now", move |format: &str| {
        strftime::format(format, now).map_err(|error| Error::new(ErrorKind::InvalidOperation, error))
    });
    environment
}

/// Python's names where Jinja prints a value as it stands.
fn write_as_python(output: &mut Output<'_>, state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Bool | ValueKind::None | ValueKind::Seq | ValueKind::Map => {
            output.write_str(&python::text(value)).map_err(Error::from)
        }
        _ => minijinja::escape_formatter(output, state, value),
    }
}

/// Python's `json.dumps`: a space after commas and colons, `indent` on demand, nothing escaped for HTML.
fn to_json(value: &Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let sort_keys: Option<bool> = options.get("sort_keys")?;
    let separators: Option<Vec<String>> = options.get("separators")?;
    // Text outside ASCII always stands as it is: the library's default.
    let _: Option<bool> = options.get("ensure_ascii")?;
    options.assert_all_used()?;
    let value = serde_json::to_value(value).map_err(|error| {
        Error::new(ErrorKind::InvalidOperation, "a value has no form in JSON").with_source(error)
    })?;
    let separators = match separators.as_deref() {
        Some([item, key]) => Some((item.as_str(), key.as_str())),
        _ => None,
    };
    let written = python::dump(&value, indent, separators, sort_keys == Some(true));
    Ok(Value::from_safe_string(written))
}

/// Python's methods, beyond those of the compatibility layer.
fn method(state: &State<'_, '_>, value: &Value, name: &str, arguments: &[Value]) -> Result<Value, Error> {
    let first = arguments.first().and_then(Value::as_str);
    match (value.as_str(), name, first, arguments.len()) {
        (Some(text), "removeprefix", Some(prefix), 1) => Ok(text.strip_prefix(prefix).unwrap_or(text).into()),
        (Some(text), "removesuffix", Some(suffix), 1) => Ok(text.strip_suffix(suffix).unwrap_or(text).into()),
        (Some(text), "partition", Some(mark), 1) => {
            let parts = match text.split_once(mark) {
                Some((before, after)) => [before, mark, after],
                None => [text, "", ""],
            };
            Ok(parts.into_iter().map(Value::from).collect())
        }
        (Some(text), "rsplit", Some(mark), 1) if !mark.is_empty() => {
            Ok(text.split(mark).map(Value::from).collect())
        }
        (Some(text), "rsplit", Some(mark), 2) if !mark.is_empty() => {
            let times = usize::try_from(arguments[1].clone()).unwrap_or(usize::MAX - 1);
            let parts: Vec<&str> = text.rsplitn(times.saturating_add(1), mark).collect();
            Ok(parts.into_iter().rev().map(Value::from).collect())
        }
        _ => minijinja_contrib::pycompat::unknown_method_callback(state, value, name, arguments),
    }
}

fn raised(error: &Error) -> Option<&str> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(Raised(message)) = cause.downcast_ref::<Raised>() {
            return Some(message);
        }
        source = cause.source();
    }
    None
}

fn describe(error: &Error) -> String {
    let detail = error.detail().map(|detail| format!(", {detail}")).unwrap_or_default();
    let line = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
    format!("{}{detail}{line}", error.kind())
}
