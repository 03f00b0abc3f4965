//! Load on the search proxy as a process of its own, with five stand-in engines: searches a second from the cache and
//! without it, how far a search oversteps its deadline when an engine hangs, and memory when idle. Prints one table last and
//! exits with 1 when a bound is missed.
//!
//!     load PATH_OF_anwen-search-proxy [FOLDER_OF_SearXNG]
//!
//! The folder is a checkout of SearXNG with what it requires (`requirements.txt`, `requirements-server.txt`) installed in
//! `.venv`. It then answers the same clients from the same engines in the same run, as it is shipped: two workers for two
//! processors.

mod searxng;

use std::error::Error;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anwen_contract::client::{Audience, TokenSource as _};
use anwen_contract::{Asker, UserId};
use anwen_platform::InternalTokens;
use axum::Router;
use axum::extract::Path as UrlPath;
use axum::routing::get;
use serde_json::{Value, json};

const SECRET: &str = "a secret of thirty-two characters";
pub const ENGINES: usize = 5;
const ENGINE_DELAY: Duration = Duration::from_millis(30);
const DEADLINE_MS: u64 = 600;
const MEASURED: Duration = Duration::from_secs(8);
const CLIENTS: usize = 32;
const HUNG_SEARCHES: usize = 40;

const MIN_CACHED_PER_SECOND: f64 = 500.0;
const MIN_UNCACHED_PER_SECOND: f64 = 100.0;
const MAX_OVERSTEP_MS: f64 = 50.0;
const MAX_IDLE_MB: f64 = 40.0;

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Ends the process when it is dropped.
pub struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let binary = std::env::args().nth(1).ok_or("say where anwen-search-proxy is")?;
    let peer = std::env::args().nth(2);
    let engines = stand_ins().await?;
    let folder = tempfile::tempdir()?;
    let (proxy, base) = start(Path::new(&binary), folder.path(), &engines).await?;
    let idle_mb = resident_mb(proxy.0.id())?;
    let client = Client::new(base)?;

    let cached = rate(&client, |_| "the same for everyone".to_owned()).await?;
    let uncached = rate(&client, distinct).await?;
    let after_mb = resident_mb(proxy.0.id())?;
    let mut oversteps = Vec::new();
    for n in 0..HUNG_SEARCHES {
        let started = Instant::now();
        client.search(&format!("slow {n}")).await?;
        oversteps.push(started.elapsed().as_secs_f64() * 1000.0 - DEADLINE_MS as f64);
    }
    let overstep = oversteps.into_iter().fold(f64::MIN, f64::max);

    let rows = [
        ("resident memory, idle", idle_mb, "MB", idle_mb < MAX_IDLE_MB),
        ("resident memory, after the load", after_mb, "MB", true),
        ("searches from the cache", cached, "/s", cached >= MIN_CACHED_PER_SECOND),
        ("searches of 5 engines", uncached, "/s", uncached >= MIN_UNCACHED_PER_SECOND),
        ("past the deadline, worst of 40", overstep, "ms", overstep <= MAX_OVERSTEP_MS),
    ];
    for (name, value, unit, holds) in &rows {
        println!("{name:<34} {value:>9.1} {unit:<3} {}", if *holds { "ok" } else { "MISSED" });
    }
    drop(proxy);
    if let Some(peer) = peer {
        let beside = searxng::measure(Path::new(&peer), folder.path(), &engines).await?;
        println!("{:<34} {:>9.1} MB", "SearXNG: resident memory, idle", beside.idle_mb);
        println!("{:<34} {:>9.1} /s", "SearXNG: searches of 5 engines", beside.per_second);
        println!("{:<34} {:>9.1} times", "ours beside it: searches", uncached / beside.per_second);
        println!("{:<34} {:>9.2} times", "ours beside it: memory", idle_mb / beside.idle_mb);
    }
    std::process::exit(i32::from(rows.iter().any(|(.., holds)| !holds)));
}

/// Engines that answer SearXNG's shape after a while; a query that begins with `slow` hangs the fifth.
async fn stand_ins() -> Result<String> {
    let search = |UrlPath(engine): UrlPath<usize>,
                  axum::extract::RawQuery(query): axum::extract::RawQuery| async move {
        let is_slow = query.unwrap_or_default().contains("q=slow");
        let hangs = is_slow && engine + 1 == ENGINES;
        tokio::time::sleep(if hangs { Duration::from_secs(60) } else { ENGINE_DELAY }).await;
        let results: Vec<Value> = (0..10)
            .map(|n| {
                let page = if n < 4 { n } else { n + 10 * engine };
                json!({"url": format!("https://site{page}.example/page"), "title": format!("Result {page} about pumps and seals"),
                    "content": format!("What page {page} says about how pumps, seals and bearings are kept in order.")})
            })
            .collect();
        axum::Json(json!({"results": results}))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(
        async move { axum::serve(listener, Router::new().route("/{engine}/search", get(search))).await },
    );
    Ok(format!("http://{address}"))
}

async fn start(binary: &Path, folder: &Path, engines: &str) -> Result<(Proxy, String)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut settings = format!(
        "[internal]\nsecret = \"{SECRET}\"\n[server]\ndata_dir = \"{}\"\n[log]\nlevel = \"warn\"\n[search_proxy]\nlisten = \"127.0.0.1:{port}\"\nsearch_timeout_ms = {DEADLINE_MS}\n",
        folder.display()
    );
    for engine in 0..ENGINES {
        settings.push_str(&format!(
            "[[search_proxy.engines]]\nname = \"e{engine}\"\nkind = \"searxng\"\nurl = \"{engines}/{engine}\"\nper_second = 100000.0\nburst = 100000\nconcurrent = 256\n"
        ));
    }
    let file = folder.join("anwen.toml");
    std::fs::write(&file, settings)?;
    let child = Command::new(binary).arg("--config").arg(&file).stdin(Stdio::null()).spawn()?;
    let proxy = Proxy(child);
    let base = format!("http://127.0.0.1:{port}");
    for _ in 0..100 {
        if reqwest::get(format!("{base}/readyz")).await.is_ok_and(|answer| answer.status().is_success()) {
            return Ok((proxy, base));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("the proxy was not ready within 10 s".into())
}

fn resident_mb(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}

/// What is asked.
pub trait Search: Clone + Send + Sync + 'static {
    /// The number of results.
    fn search(&self, query: &str) -> impl Future<Output = Result<usize>> + Send;
}

#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    tokens: InternalTokens,
    base: String,
}

impl Search for Client {
    async fn search(&self, query: &str) -> Result<usize> {
        let asker =
            Asker { user_id: UserId::new(), groups: Vec::new(), is_admin: false, only_knowledge_bases: None };
        let bearer = self.tokens.bearer(&asker, Audience::SearchProxy).map_err(|error| error.message)?;
        let request = self.http.post(format!("{}/v1/search", self.base)).bearer_auth(bearer);
        let answer = request.json(&json!({"query": query, "top_k": 10})).send().await?.error_for_status()?;
        results_of(&answer.json::<Value>().await?)
    }
}

/// How many results an answer holds. Fewer than ten are not what is measured.
pub fn results_of(answer: &Value) -> Result<usize> {
    let count = answer["results"].as_array().map_or(0, Vec::len);
    if count >= 10 { Ok(count) } else { Err(format!("{count} results").into()) }
}

impl Client {
    fn new(base: String) -> Result<Self> {
        let tokens = InternalTokens::new(SECRET.as_bytes()).map_err(|cause| cause.to_string())?;
        Ok(Self { http: reqwest::Client::builder().no_proxy().build()?, tokens, base })
    }
}

/// A query that nobody has asked before.
pub fn distinct(number: u64) -> String {
    format!("question number {number} about pumps")
}

/// Searches a second of several clients that each wait for their answer.
pub async fn rate<S: Search>(client: &S, query: fn(u64) -> String) -> Result<f64> {
    client.search(&query(0)).await?;
    let (done, next) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(1)));
    let started = Instant::now();
    let clients = (0..CLIENTS).map(|_| {
        let (client, done, next) = (client.clone(), Arc::clone(&done), Arc::clone(&next));
        tokio::spawn(async move {
            while started.elapsed() < MEASURED {
                client.search(&query(next.fetch_add(1, Ordering::Relaxed))).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), Box<dyn Error + Send + Sync>>(())
        })
    });
    for outcome in futures::future::join_all(clients).await {
        outcome??;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64())
}
