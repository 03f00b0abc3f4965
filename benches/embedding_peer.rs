//! `model2vec-rs` on the passages of benches/embedding.py, which compiles this outside the workspace.
//!
//! ```text
//! embedding_peer MODEL PASSAGES ROUNDS VECTORS
//! ```
//!
//! Prints `{"passages", "cpu_s", "wall_s"}` of all rounds together, and writes the vectors as little-endian `f32`.

use std::error::Error;
use std::io::Write as _;
use std::time::Instant;

use model2vec_rs::model::StaticModel;

/// Texts in one call, as the program's own default has it.
const BATCH: usize = 1024;
/// Tokens of a text that are read.
const MAX_TOKENS: usize = 512;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, passages, rounds, vectors] = arguments.as_slice() else {
        return Err("embedding_peer MODEL PASSAGES ROUNDS VECTORS".into());
    };
    let model = StaticModel::from_pretrained(model, None, None, None)?;
    let text = std::fs::read_to_string(passages)?;
    let passages: Vec<String> = text.lines().map(str::to_owned).collect();
    let rounds = rounds.parse::<usize>()?;
    let mut rows = Vec::new();
    let (cpu, wall) = (cpu_seconds()?, Instant::now());
    for _ in 0..rounds {
        rows = model.encode_with_args(&passages, Some(MAX_TOKENS), BATCH);
    }
    let (cpu, wall) = (cpu_seconds()? - cpu, wall.elapsed().as_secs_f64());
    let mut file = std::io::BufWriter::new(std::fs::File::create(vectors)?);
    for number in rows.iter().flatten() {
        file.write_all(&number.to_le_bytes())?;
    }
    file.flush()?;
    println!(r#"{{"passages": {}, "cpu_s": {}, "wall_s": {}}}"#, rows.len() * rounds, cpu, wall);
    Ok(())
}

/// Processor time of all threads so far.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let mut nanoseconds = 0u64;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += text.split_whitespace().next().ok_or("an empty schedstat")?.parse::<u64>()?;
    }
    Ok(nanoseconds as f64 / 1e9)
}
