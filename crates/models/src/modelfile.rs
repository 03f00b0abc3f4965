//! The text that a model is made from, in the form of Ollama's Modelfile
//! (<https://github.com/ollama/ollama/blob/main/docs/modelfile.md>): one instruction a line, `#` before a comment, three
//! quotation marks around a value of several lines.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::error::StoreError;
use crate::manifest::SavedMessage;

/// Bytes of a Modelfile.
const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;
/// Messages and adapters of one file.
const MAX_ITEMS: usize = 1024;
const LONG_QUOTE: &str = "\"\"\"";

/// What a Modelfile says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Modelfile {
    pub from: String,
    pub parameters: Map<String, Value>,
    pub template: Option<String>,
    pub system: Option<String>,
    pub adapters: Vec<String>,
    pub license: Option<String>,
    pub messages: Vec<SavedMessage>,
}

impl Modelfile {
    /// Reads one; the error names the line.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(StoreError::Invalid("the Modelfile is too long".to_owned()));
        }
        let mut file = Self::default();
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong =
                |why: &str| StoreError::Invalid(format!("line {} of the Modelfile: {why}", index + 1));
            let (instruction, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let rest = rest.trim();
            let (head, first) = match instruction.to_ascii_uppercase().as_str() {
                "PARAMETER" | "MESSAGE" => {
                    let (head, value) = rest
                        .split_once(char::is_whitespace)
                        .ok_or_else(|| wrong("a name and a value are needed"))?;
                    (head, value.trim())
                }
                _ => ("", rest),
            };
            let value = read_value(first, &mut lines.by_ref().map(|(_, line)| line))
                .ok_or_else(|| wrong("the quotation marks are not closed"))?;
            if value.is_empty() {
                return Err(wrong("a value is needed"));
            }
            file.take(instruction, head, value).map_err(|why| wrong(&why))?;
        }
        if file.from.is_empty() {
            return Err(StoreError::Invalid("the Modelfile has no FROM".to_owned()));
        }
        Ok(file)
    }

    fn take(&mut self, instruction: &str, head: &str, value: String) -> Result<(), String> {
        match instruction.to_ascii_uppercase().as_str() {
            "FROM" if self.from.is_empty() => self.from = value,
            "FROM" => return Err("a model is made from one other; FROM stands twice".to_owned()),
            "PARAMETER" => add_parameter(&mut self.parameters, head, &value)?,
            "TEMPLATE" => self.template = Some(value),
            "SYSTEM" => self.system = Some(value),
            "ADAPTER" if self.adapters.len() < MAX_ITEMS => self.adapters.push(value),
            "LICENSE" => {
                let license = self.license.get_or_insert_default();
                if !license.is_empty() {
                    license.push_str("\n\n");
                }
                license.push_str(&value);
            }
            "MESSAGE" if self.messages.len() < MAX_ITEMS => {
                if !matches!(head, "system" | "user" | "assistant") {
                    return Err(format!("{head:?} is no role; use system, user or assistant"));
                }
                self.messages.push(SavedMessage { role: head.to_owned(), content: value });
            }
            "ADAPTER" | "MESSAGE" => return Err(format!("more than {MAX_ITEMS} of them")),
            other => return Err(format!("{other:?} is no instruction")),
        }
        Ok(())
    }

    /// The text of this Modelfile, from which `parse` makes the same again.
    pub fn to_text(&self) -> String {
        let mut text = format!("FROM {}\n", self.from);
        // Writing to a string does not fail.
        if let Some(template) = &self.template {
            writeln!(text, "TEMPLATE {}", quoted(template)).ok();
        }
        if let Some(system) = &self.system {
            writeln!(text, "SYSTEM {}", quoted(system)).ok();
        }
        for line in parameter_lines(&self.parameters) {
            writeln!(text, "PARAMETER {line}").ok();
        }
        for adapter in &self.adapters {
            writeln!(text, "ADAPTER {adapter}").ok();
        }
        for message in &self.messages {
            writeln!(text, "MESSAGE {} {}", message.role, quoted(&message.content)).ok();
        }
        if let Some(license) = &self.license {
            writeln!(text, "LICENSE {}", quoted(license)).ok();
        }
        text
    }
}

/// `name value` for each parameter; a list gives one line an item.
pub fn parameter_lines(parameters: &Map<String, Value>) -> Vec<String> {
    let shown = |value: &Value| match value {
        Value::String(text) => quoted(text),
        other => other.to_string(),
    };
    let mut lines = Vec::new();
    for (name, value) in parameters {
        match value {
            Value::Array(items) => lines.extend(items.iter().map(|item| format!("{name} {}", shown(item)))),
            value => lines.push(format!("{name} {}", shown(value))),
        }
    }
    lines
}

fn quoted(text: &str) -> String {
    if text.contains('\n') || text.contains('"') {
        format!("{LONG_QUOTE}{text}{LONG_QUOTE}")
    } else {
        format!("\"{text}\"")
    }
}

/// A value that begins with `first` and may go on over `lines`; `None` when its quotation marks are not closed.
fn read_value<'a>(first: &str, lines: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    if let Some(rest) = first.strip_prefix(LONG_QUOTE) {
        if let Some(whole) = rest.strip_suffix(LONG_QUOTE) {
            return Some(whole.to_owned());
        }
        let mut value = rest.to_owned();
        if !rest.is_empty() {
            value.push('\n');
        }
        for line in lines {
            if let Some(last) = line.trim_end().strip_suffix(LONG_QUOTE) {
                value.push_str(last);
                return Some(value);
            }
            value.push_str(line);
            value.push('\n');
        }
        return None;
    }
    match first.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').map(str::to_owned),
        None => Some(first.to_owned()),
    }
}

/// Adds one parameter, typed as Ollama types it. `stop` may stand several times.
fn add_parameter(parameters: &mut Map<String, Value>, name: &str, text: &str) -> Result<(), String> {
    let name = name.to_ascii_lowercase();
    let value = match name.as_str() {
        "stop" => {
            let list = parameters.entry("stop").or_insert_with(|| json!([]));
            if let Value::Array(items) = list {
                items.push(json!(text));
            }
            return Ok(());
        }
        "temperature" | "top_p" | "min_p" | "typical_p" | "repeat_penalty" | "presence_penalty"
        | "frequency_penalty" | "mirostat_eta" | "mirostat_tau" | "tfs_z" => {
            text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| json!(number))
        }
        "num_ctx" | "num_predict" | "num_keep" | "num_batch" | "num_gpu" | "num_thread" | "main_gpu"
        | "top_k" | "seed" | "repeat_last_n" | "mirostat" | "draft_num_predict" => {
            text.parse::<i64>().ok().map(|number| json!(number))
        }
        "use_mmap" | "use_mlock" | "numa" | "low_vram" | "penalize_newline" => {
            text.parse::<bool>().ok().map(|set| json!(set))
        }
        _ => return Err(format!("{name:?} is no parameter")),
    };
    parameters.insert(name.clone(), value.ok_or_else(|| format!("{text:?} is no value of {name}"))?);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# a comment
FROM qwen3:0.6b
PARAMETER temperature 0.5
parameter num_ctx 4096
PARAMETER stop "<|end|>"
PARAMETER stop User:
SYSTEM """You answer briefly.
Always."""
TEMPLATE """{% for m in messages %}{{ m.content }}{% endfor %}"""
ADAPTER ./lora.gguf
MESSAGE user Hello
MESSAGE assistant """Good
day"""
LICENSE MIT
"#;

    #[test]
    fn instructions_are_read() {
        let file = Modelfile::parse(TEXT).unwrap();
        assert_eq!(file.from, "qwen3:0.6b");
        assert_eq!(
            Value::Object(file.parameters),
            json!({"temperature": 0.5, "num_ctx": 4096, "stop": ["<|end|>", "User:"]})
        );
        assert_eq!(file.system.as_deref(), Some("You answer briefly.\nAlways."));
        assert_eq!((file.adapters.len(), file.messages[1].content.as_str()), (1, "Good\nday"));
        assert_eq!(file.license.as_deref(), Some("MIT"));
    }

    #[test]
    fn the_text_reads_back() {
        let file = Modelfile::parse(TEXT).unwrap();
        assert_eq!(Modelfile::parse(&file.to_text()).unwrap(), file);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, expected) in [
            ("SYSTEM x", "no FROM"),
            ("FROM a\nFROM b", "line 2"),
            ("FROM a\nPARAMETER temperature warm", "line 2"),
            ("FROM a\nPARAMETER warmth 1", "line 2"),
            ("FROM a\nSYSTEM \"\"\"never closed", "line 2"),
            ("FROM a\nMESSAGE robot x", "line 2"),
            ("FROM a\nCOPY x y", "line 2"),
            ("FROM", "line 1"),
        ] {
            let message = Modelfile::parse(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text:?}: {message}");
        }
    }
}
