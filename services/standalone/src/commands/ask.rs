//! `anwen ask "…"`: one question, its answer as it comes, and the sources.

use super::session::{Session, send};
use crate::cli::{AskArguments, CommonArguments};
use crate::failure::Failure;
use crate::workplace::Workplace;
use anwen_contract::chat::{AnswerEvent, Chat, CreateChat, Outcome, PostMessage, Source};
use futures::StreamExt as _;
use reqwest::Method;
use std::io::Write as _;

/// The most bytes of one event.
const MAX_EVENT_BYTES: usize = 4 * 1024 * 1024;

/// What has come of an answer.
#[derive(Default)]
struct Answer {
    text: String,
    sources: Vec<Source>,
    outcome: Option<Outcome>,
    model: String,
}

pub async fn run(common: &CommonArguments, arguments: AskArguments) -> Result<(), Failure> {
    let workplace = Workplace::open(common)?;
    let session = Session::open(&workplace, arguments.user.as_deref()).await?;
    let result = ask(&session, common.json, &arguments).await;
    session.close().await?;
    let answer = result?;
    if common.json {
        println!(
            "{}",
            serde_json::json!({
                "answer": answer.text, "outcome": answer.outcome, "model": answer.model, "sources": answer.sources,
            })
        );
    } else {
        print_sources(&answer);
    }
    Ok(())
}

async fn ask(session: &Session, json: bool, arguments: &AskArguments) -> Result<Answer, Failure> {
    let bases = match &arguments.kb {
        None => None,
        Some(name) => match session.find_base(name).await? {
            Some(base) => Some(vec![base.id]),
            None => return Err(Failure::new("not_found", format!("no knowledge base is named {name:?}"))),
        },
    };
    let chat =
        CreateChat { knowledge_base_ids: bases, model: arguments.model.clone(), ..CreateChat::default() };
    let chat: Chat = session.post("/chats", &chat).await?;
    let message = PostMessage { content: arguments.question.clone(), ..PostMessage::default() };
    let request = session.request(Method::POST, &format!("/chats/{}/messages", chat.id)).json(&message);
    let mut bytes = send(request).await?.bytes_stream();
    let mut answer = Answer::default();
    let mut buffer = Vec::new();
    while let Some(part) = bytes.next().await {
        buffer.extend_from_slice(&part?);
        while let Some(event) = take_event(&mut buffer) {
            if take_in(&mut answer, event, json)? {
                return Ok(answer);
            }
        }
        if buffer.len() > MAX_EVENT_BYTES {
            return Err(Failure::new("internal", "an event of the answer is too long"));
        }
    }
    Err(Failure::new("generation_failed", "the answer broke off"))
}

/// Adds one event to the answer; says whether it was the last.
fn take_in(answer: &mut Answer, event: AnswerEvent, json: bool) -> Result<bool, Failure> {
    match event {
        AnswerEvent::Delta { text } => {
            if !json {
                print!("{text}");
                std::io::stdout().flush()?;
            }
            answer.text.push_str(&text);
        }
        AnswerEvent::Sources { items, .. } => answer.sources = items,
        AnswerEvent::Done { outcome, model, .. } => {
            answer.outcome = Some(outcome);
            answer.model = model;
            return Ok(true);
        }
        AnswerEvent::Error { code, message } => return Err(Failure::new(&code, message)),
        _ => {}
    }
    Ok(false)
}

/// Takes the first whole event out of the buffer; events of unknown kinds are passed over.
fn take_event(buffer: &mut Vec<u8>) -> Option<AnswerEvent> {
    loop {
        let end = buffer.windows(2).position(|pair| pair == b"\n\n")?;
        let block: Vec<u8> = buffer.drain(..end + 2).collect();
        let block = String::from_utf8_lossy(&block);
        let field = |name: &str| {
            block.lines().find_map(|line| {
                line.strip_prefix(name)?.strip_prefix(':').map(|value| value.trim().to_owned())
            })
        };
        let (Some(event), Some(data)) = (field("event"), field("data")) else { continue };
        let Ok(data) = serde_json::from_str::<serde_json::Value>(&data) else { continue };
        if let Ok(event) = serde_json::from_value(serde_json::json!({"event": event, "data": data})) {
            return Some(event);
        }
    }
}

/// The cited sources, one a line.
fn print_sources(answer: &Answer) {
    println!();
    for source in &answer.sources {
        if !answer.text.contains(&format!("[{}]", source.n)) {
            continue;
        }
        let page = source.page_start.map(|page| format!(", p. {page}")).unwrap_or_default();
        println!("[{}] {}{page}", source.n, source.title);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_out_one_by_one() {
        let mut buffer =
            b"event: later\ndata: {}\n\nid: 4\nevent: delta\ndata: {\"text\":\"a\"}\n\nevent: del".to_vec();
        assert!(matches!(take_event(&mut buffer), Some(AnswerEvent::Delta { text }) if text == "a"));
        assert!(take_event(&mut buffer).is_none());
        assert_eq!(buffer, b"event: del");
    }
}
