//! The client's side of benches/embedding.py: passages through `POST /v1/embeddings`, by the client that the services
//! use, one request after the other.
//!
//! ```text
//! embedding_client URL SERVER_PID PASSAGES BATCH ROUNDS VECTORS
//! ```
//!
//! Prints `{"passages", "server_cpu_s", "client_cpu_s", "wall_s"}` of all rounds together and writes the vectors as
//! little-endian `f32`.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use anwen_contract::client::{Audience, CallContext, ModelClient, ServiceClient, TokenSource};
use anwen_contract::model::STATIC_EMBEDDING_MODEL;
use anwen_contract::{ApiError, Asker, UserId};

/// Over loopback the runtime asks for no token.
struct NoToken;

impl TokenSource for NoToken {
    fn bearer(&self, _asker: &Asker, _audience: Audience) -> Result<String, ApiError> {
        Ok("none".to_owned())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, server, passages, batch, rounds, vectors] = arguments.as_slice() else {
        return Err("embedding_client URL SERVER_PID PASSAGES BATCH ROUNDS VECTORS".into());
    };
    let (batch, rounds): (usize, usize) = (batch.parse()?, rounds.parse()?);
    let text = std::fs::read_to_string(passages)?;
    let passages: Vec<String> = text.lines().map(str::to_owned).collect();
    let service =
        ServiceClient::new(url.parse()?, reqwest::Client::new(), Arc::new(NoToken), Audience::ModelRuntime);
    let client = ModelClient::new(service);
    let asker =
        Asker { user_id: UserId::new(), groups: Vec::new(), is_admin: false, only_knowledge_bases: None };
    let context = CallContext::new(asker, "bench-embedding");

    // The first call connects and fills the buffers of the server.
    client.embed(&context, STATIC_EMBEDDING_MODEL, &passages[..batch.min(passages.len())]).await?;
    let before = (process_seconds(server)?, process_seconds("self")?, Instant::now());
    let mut rows = Vec::new();
    for _ in 0..rounds {
        rows.clear();
        for part in passages.chunks(batch) {
            rows.extend(client.embed(&context, STATIC_EMBEDDING_MODEL, part).await?);
        }
    }
    let server_seconds = process_seconds(server)? - before.0;
    let client_seconds = process_seconds("self")? - before.1;
    let wall_seconds = before.2.elapsed().as_secs_f64();

    let mut file = std::io::BufWriter::new(std::fs::File::create(vectors)?);
    for number in rows.iter().flatten() {
        file.write_all(&number.to_le_bytes())?;
    }
    file.flush()?;
    println!(
        r#"{{"passages": {}, "server_cpu_s": {server_seconds}, "client_cpu_s": {client_seconds}, "wall_s": {wall_seconds}}}"#,
        passages.len() * rounds
    );
    Ok(())
}

/// Processor time of a process so far, its ended threads included.
fn process_seconds(process: &str) -> Result<f64, Box<dyn Error>> {
    /// The kernel counts in hundredths whatever its own clock does.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // Behind the program's name, which may hold spaces: the fields from the third on.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let (Some(user), Some(system)) = (fields.get(11), fields.get(12)) else {
        return Err("a stat file without times".into());
    };
    Ok((user.parse::<f64>()? + system.parse::<f64>()?) / TICKS_PER_SECOND)
}
