//! SearXNG as it is shipped, asking the same stand-in engines.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::{ENGINES, Proxy, Result, Search, distinct, rate, results_of};

const WORKERS: &str = "2";
const STARTS_WITHIN: Duration = Duration::from_secs(60);

pub struct Measured {
    /// Of all its processes.
    pub idle_mb: f64,
    pub per_second: f64,
}

pub async fn measure(source: &Path, folder: &Path, engines: &str) -> Result<Measured> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let settings = folder.join("searxng.yml");
    std::fs::write(&settings, settings_of(engines).to_string())?;
    let source = source.canonicalize()?;
    let child = Command::new(source.join(".venv/bin/granian"))
        .args(["--interface", "wsgi", "--host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--workers", WORKERS, "searx.webapp:app"])
        .current_dir(&source)
        .env("SEARXNG_SETTINGS_PATH", &settings)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let peer = Proxy(child);
    let client = Client {
        http: reqwest::Client::builder().no_proxy().build()?,
        base: format!("http://127.0.0.1:{port}"),
    };
    let began = tokio::time::Instant::now();
    while let Err(cause) = client.search("is it there").await {
        if began.elapsed() > STARTS_WITHIN {
            return Err(format!("SearXNG gave no results: {cause}").into());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let idle_mb = tree_mb(peer.0.id())?;
    Ok(Measured { idle_mb, per_second: rate(&client, distinct).await? })
}

/// Its settings; JSON is YAML.
fn settings_of(engines: &str) -> Value {
    let engines: Vec<Value> = (0..ENGINES)
        .map(|engine| {
            json!({"name": format!("e{engine}"), "engine": "json_engine", "shortcut": format!("e{engine}"),
                "search_url": format!("{engines}/{engine}/search?q={{query}}"), "results_query": "results",
                "url_query": "url", "title_query": "title", "content_query": "content", "paging": false,
                "categories": ["general"], "enable_http": true, "disabled": false})
        })
        .collect();
    json!({"use_default_settings": {"engines": {"keep_only": []}}, "engines": engines,
        "server": {"secret_key": "a secret of thirty-two characters", "limiter": false},
        "search": {"formats": ["html", "json"]},
        "outgoing": {"request_timeout": 3.0, "pool_connections": 256, "pool_maxsize": 256}})
}

#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    base: String,
}

impl Search for Client {
    async fn search(&self, query: &str) -> Result<usize> {
        let request =
            self.http.get(format!("{}/search", self.base)).query(&[("q", query), ("format", "json")]);
        results_of(&request.send().await?.error_for_status()?.json::<Value>().await?)
    }
}

/// The resident memory of a process and of all that it has started. Pages that they share count once for each.
fn tree_mb(root: u32) -> Result<f64> {
    let mut sum = crate::resident_mb(root)?;
    let tasks = PathBuf::from(format!("/proc/{root}/task"));
    for task in std::fs::read_dir(tasks)? {
        let children = std::fs::read_to_string(task?.path().join("children"))?;
        for child in children.split_whitespace() {
            sum += tree_mb(child.parse()?)?;
        }
    }
    Ok(sum)
}
