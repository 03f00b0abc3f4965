//! Our side of benches/embedding.py, in process and on one thread.
//!
//! ```text
//! embedding_bench cut MODEL TOKENS                      lines of text -> passages of as many tokens, a line each
//! embedding_bench embed MODEL PASSAGES ROUNDS VECTORS   embeds each line of PASSAGES, ROUNDS times
//! ```
//!
//! `embed` prints `{"passages", "tokens", "cpu_s", "wall_s", "tokenize_cpu_s"}` of all rounds together and writes the
//! vectors as little-endian `f32`. Processor time rather than the clock, because other programs run too; of many rounds
//! at once, because the kernel tells it in steps of milliseconds.

use std::error::Error;
use std::io::{BufRead as _, BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use anwen_static_embedding::{StaticModel, StaticScratch};
use anwen_text::{TokenizerScratch, UnigramTokenizer};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["cut", model, tokens] => cut(model, tokens.parse()?),
        ["embed", model, passages, rounds, vectors] => {
            embed(model, passages, rounds.parse()?, Path::new(vectors))
        }
        _ => Err("embedding_bench cut MODEL TOKENS | embed MODEL PASSAGES ROUNDS VECTORS".into()),
    }
}

/// Cuts each line behind the last character with which it has at most `tokens` tokens; shorter lines are left out.
fn cut(model: &str, tokens: usize) -> Outcome<()> {
    let model = StaticModel::load(Path::new(model))?;
    let mut scratch = TokenizerScratch::default();
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if let Some(passage) = first_tokens(model.tokenizer(), &mut scratch, &line, tokens) {
            writeln!(out, "{passage}")?;
        }
    }
    Ok(out.flush()?)
}

fn first_tokens<'a>(
    tokenizer: &UnigramTokenizer,
    scratch: &mut TokenizerScratch,
    line: &'a str,
    tokens: usize,
) -> Option<&'a str> {
    let ends: Vec<usize> = line.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
    let fitting = ends.partition_point(|&end| tokenizer.count_tokens_with(&line[..end], scratch) <= tokens);
    (fitting < ends.len() && fitting > 0).then(|| &line[..ends[fitting - 1]])
}

fn embed(model: &str, passages: &str, rounds: usize, vectors: &Path) -> Outcome<()> {
    let model = StaticModel::load(Path::new(model))?;
    let text = std::fs::read_to_string(passages)?;
    let passages: Vec<&str> = text.lines().collect();
    let mut scratch = StaticScratch::default();
    let mut values = vec![0.0f32; passages.len() * model.dimensions()];
    let mut tokens = 0;
    let (cpu, wall) = (thread_seconds()?, Instant::now());
    for _ in 0..rounds {
        for (passage, vector) in passages.iter().zip(values.chunks_exact_mut(model.dimensions())) {
            tokens += model.embed_into(passage, &mut scratch, vector).tokens;
        }
    }
    let (cpu, wall) = (thread_seconds()? - cpu, wall.elapsed().as_secs_f64());
    let tokenize = tokenize_seconds(model.tokenizer(), &passages, rounds)?;
    let mut file = BufWriter::new(std::fs::File::create(vectors)?);
    for number in &values {
        file.write_all(&number.to_le_bytes())?;
    }
    file.flush()?;
    println!(
        r#"{{"passages": {}, "tokens": {tokens}, "cpu_s": {cpu}, "wall_s": {wall}, "tokenize_cpu_s": {tokenize}}}"#,
        passages.len() * rounds
    );
    Ok(())
}

/// What of it is the tokenizer's.
fn tokenize_seconds(tokenizer: &UnigramTokenizer, passages: &[&str], rounds: usize) -> Outcome<f64> {
    let mut scratch = TokenizerScratch::default();
    let mut ids = Vec::new();
    let cpu = thread_seconds()?;
    for _ in 0..rounds {
        for passage in passages {
            ids.clear();
            tokenizer.encode_into(passage, &mut scratch, &mut ids);
        }
    }
    Ok(thread_seconds()? - cpu)
}

/// Processor time of this thread so far.
fn thread_seconds() -> Outcome<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: u64 = text.split_whitespace().next().ok_or("an empty schedstat")?.parse()?;
    Ok(nanoseconds as f64 / 1e9)
}
