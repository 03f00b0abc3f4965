//! Pulls from a stand-in that breaks off, lies, redirects and stalls.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use anwen_models::{ModelName, PullSettings, Puller, Store, StoreError};
use tokio::sync::Semaphore;

use crate::hub::{Hub, Mischief};
use crate::support::{Workplace, gguf};

const BYTES: usize = 95_000;

fn model() -> Vec<(&'static str, Vec<u8>)> {
    vec![("m.gguf", gguf("a", BYTES)), ("README.md", b"read me".to_vec())]
}

async fn pull(workplace: &Workplace, settings: PullSettings, name: &str) -> Result<(), StoreError> {
    Puller::new(Arc::clone(&workplace.store), settings).pull(name)?.finish().await
}

fn weights(workplace: &Workplace, name: &str) -> Vec<u8> {
    let name: ModelName = name.parse().unwrap();
    std::fs::read(workplace.store.find(&name).unwrap().weights.path()).unwrap()
}

#[tokio::test]
async fn every_source_brings_the_same_bytes() {
    let hub = Hub::start(&model(), Mischief::default()).await;
    for name in ["hf.co/o/r", "modelscope.cn/o/r", "tiny", "s3://bucket/models/r"] {
        let workplace = Workplace::new();
        pull(&workplace, hub.settings(), name).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let here = name.strip_prefix("s3://bucket/models/").unwrap_or(name);
        assert_eq!(weights(&workplace, here), model()[0].1, "{name}");
    }
}

#[tokio::test]
async fn nothing_is_asked_for_while_pulling_is_switched_off() {
    let workplace = Workplace::new();
    let hub = Hub::start(&model(), Mischief::default()).await;
    let settings = PullSettings { enabled: false, ..hub.settings() };
    assert!(matches!(pull(&workplace, settings, "tiny").await, Err(StoreError::PullDisabled)));
    assert_eq!(hub.byte_requests(), 0);
}

#[tokio::test]
async fn connections_that_break_off_are_gone_on_with_where_they_stopped() {
    for seed in 0..8_usize {
        let cuts: VecDeque<usize> = (0..12).map(|index| (seed * 7919 + index * 1543) % 9_999).collect();
        let mischief = Mischief { cuts: Mutex::new(cuts), ..Mischief::default() };
        let hub = Hub::start(&model(), mischief).await;
        let workplace = Workplace::new();
        let settings = PullSettings { attempts: 20, ..hub.settings() };
        pull(&workplace, settings, "hf.co/o/r").await.unwrap_or_else(|error| panic!("{seed}: {error}"));
        assert_eq!(weights(&workplace, "hf.co/o/r"), model()[0].1);
    }
}

#[tokio::test]
async fn a_wrong_checksum_is_told_and_nothing_becomes_visible() {
    for name in ["hf.co/o/r", "modelscope.cn/o/r", "tiny"] {
        let mischief = Mischief { wrong_digest: Some("a".repeat(64)), ..Mischief::default() };
        let hub = Hub::start(&model(), mischief).await;
        let workplace = Workplace::new();
        let refused = pull(&workplace, hub.settings(), name).await;
        assert!(matches!(refused, Err(StoreError::WrongChecksum { .. })), "{name}: {refused:?}");
        assert!(workplace.names().is_empty() && workplace.blobs().is_empty());
    }
}

#[tokio::test]
async fn a_server_without_ranges_is_read_from_the_beginning() {
    let mischief = Mischief { no_ranges: true, cuts: Mutex::new([BYTES, 50].into()), ..Mischief::default() };
    let hub = Hub::start(&model(), mischief).await;
    let workplace = Workplace::new();
    pull(&workplace, hub.settings(), "hf.co/o/r").await.unwrap();
    assert_eq!(weights(&workplace, "hf.co/o/r"), model()[0].1);
}

#[tokio::test]
async fn a_redirect_into_this_network_is_refused() {
    let target = Hub::start(&model(), Mischief::default()).await;
    for address in [target.url.as_str(), "http://169.254.169.254/latest", "http://localhost:1/x"] {
        let mischief = Mischief { redirect_to: Some(address.to_owned()), ..Mischief::default() };
        let hub = Hub::start(&model(), mischief).await;
        let workplace = Workplace::new();
        let settings = PullSettings { attempts: 1, ..hub.settings() };
        let refused = pull(&workplace, settings, "hf.co/o/r").await;
        assert!(refused.is_err(), "{address}");
        assert!(workplace.names().is_empty());
    }
    assert_eq!(target.byte_requests(), 0);
}

#[tokio::test]
async fn a_redirect_within_the_source_is_followed() {
    let files = model();
    let to = format!("/v2/library/tiny/blobs/sha256:{}", crate::support::digest(&files[0].1));
    let hub = Hub::start(&files, Mischief { redirect_to: Some(to), ..Mischief::default() }).await;
    let workplace = Workplace::new();
    pull(&workplace, hub.settings(), "hf.co/o/r").await.unwrap();
    assert_eq!(weights(&workplace, "hf.co/o/r"), files[0].1);
}

#[tokio::test]
async fn a_token_is_sent_and_its_lack_is_told() {
    let mischief = || Mischief { token: Some("secret".to_owned()), ..Mischief::default() };
    let hub = Hub::start(&model(), mischief()).await;
    let workplace = Workplace::new();
    pull(&workplace, hub.settings(), "hf.co/o/r").await.unwrap();
    let refused = pull(&workplace, hub.settings(), "modelscope.cn/o/r").await.unwrap_err();
    assert!(refused.to_string().contains("token"), "{refused}");
}

#[tokio::test]
async fn a_server_that_stalls_is_given_up() {
    let hub = Hub::start(
        &model(),
        Mischief { stall: true, cuts: Mutex::new(vec![10; 99].into()), ..Mischief::default() },
    )
    .await;
    let workplace = Workplace::new();
    let settings = PullSettings { stall_timeout_ms: 50, attempts: 1, connections: 1, ..hub.settings() };
    assert!(matches!(pull(&workplace, settings, "hf.co/o/r").await, Err(StoreError::Source(_))));
}

#[tokio::test]
async fn a_full_disk_is_told_before_anything_is_fetched() {
    let hub = Hub::start(&model(), Mischief::default()).await;
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::with_free_space(
        directory.path(),
        Arc::new(|_: &std::path::Path| Ok(64 * 1024 * 1024 + 1000)),
    ));
    let refused = Puller::new(store, hub.settings()).pull("tiny").unwrap().finish().await;
    assert!(matches!(refused, Err(StoreError::DiskFull { .. })), "{refused:?}");
    assert_eq!(hub.byte_requests(), 0);
}

#[tokio::test]
async fn two_pulls_of_one_model_are_one_download() {
    let gate = Arc::new(Semaphore::new(0));
    let hub = Hub::start(&model(), Mischief { gate: Some(Arc::clone(&gate)), ..Mischief::default() }).await;
    let workplace = Workplace::new();
    let puller = Puller::new(Arc::clone(&workplace.store), hub.settings());
    let first = puller.pull("hf.co/o/r").unwrap();
    let second = puller.pull("hf.co/o/r:latest").unwrap();
    gate.add_permits(1000);
    let (first, second) = tokio::join!(first.finish(), second.finish());
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(hub.bytes_sent(), model()[0].1.len());
}

#[tokio::test]
async fn a_pull_that_everyone_has_left_stops_and_a_later_one_goes_on() {
    let gate = Arc::new(Semaphore::new(4));
    let hub = Hub::start(&model(), Mischief { gate: Some(Arc::clone(&gate)), ..Mischief::default() }).await;
    let workplace = Workplace::new();
    let settings = PullSettings { connections: 1, ..hub.settings() };
    let puller = Puller::new(Arc::clone(&workplace.store), settings.clone());
    let mut listener = puller.pull("hf.co/o/r").unwrap();
    while let Some(event) = listener.next().await {
        if event.unwrap().completed.unwrap_or_default() >= 40_000 {
            break;
        }
    }
    drop(listener);
    gate.add_permits(1000);
    // As after a restart: another puller, the same directory.
    let again = Arc::new(Store::open(workplace.directory.path()));
    let mut listener = Puller::new(again, settings).pull("hf.co/o/r").unwrap();
    let mut first_completed = None;
    while let Some(event) = listener.next().await {
        let completed = event.unwrap().completed.filter(|completed| *completed > 0);
        first_completed = first_completed.or(completed);
    }
    assert!(first_completed.unwrap() >= 30_000, "began again at {first_completed:?}");
    assert_eq!(weights(&workplace, "hf.co/o/r"), model()[0].1);
}

#[tokio::test]
async fn ranges_that_changed_on_the_disk_are_fetched_again() {
    let gate = Arc::new(Semaphore::new(4));
    let hub = Hub::start(&model(), Mischief { gate: Some(Arc::clone(&gate)), ..Mischief::default() }).await;
    let workplace = Workplace::new();
    let settings = PullSettings { connections: 1, ..hub.settings() };
    let puller = Puller::new(Arc::clone(&workplace.store), settings);
    let mut listener = puller.pull("hf.co/o/r").unwrap();
    while let Some(event) = listener.next().await {
        if event.unwrap().completed.unwrap_or_default() >= 40_000 {
            break;
        }
    }
    drop(listener);
    let partial =
        workplace.directory.path().join("blobs/.partial").join(crate::support::digest(&model()[0].1));
    let mut bytes = std::fs::read(&partial).unwrap();
    bytes[15_000] ^= 1;
    std::fs::write(&partial, bytes).unwrap();
    gate.add_permits(1000);
    puller.pull("hf.co/o/r").unwrap().finish().await.unwrap();
    assert_eq!(weights(&workplace, "hf.co/o/r"), model()[0].1);
}

#[tokio::test]
async fn texts_of_ollamas_registry_become_settings() {
    let mut files = model();
    files.push(("template", b"{{ .Prompt }}".to_vec()));
    files.push(("params.json", br#"{"stop": ["<end>"], "temperature": 0.6}"#.to_vec()));
    files.push(("license", b"MIT".to_vec()));
    let hub = Hub::start(&files, Mischief::default()).await;
    let workplace = Workplace::new();
    pull(&workplace, hub.settings(), "tiny").await.unwrap();
    let name: ModelName = "tiny".parse().unwrap();
    let manifest = workplace.store.get(&name).unwrap().manifest;
    assert_eq!((manifest.template, manifest.go_template.as_deref()), (None, Some("{{ .Prompt }}")));
    assert_eq!(
        (manifest.license.as_deref(), &manifest.parameters["temperature"]),
        (Some("MIT"), &0.6.into())
    );
    assert_eq!(manifest.source.as_deref(), Some("registry.ollama.ai/library/tiny:latest"));
}

#[tokio::test]
async fn progress_names_the_layer_and_ends_with_success() {
    let hub = Hub::start(&model(), Mischief::default()).await;
    let workplace = Workplace::new();
    let mut listener = Puller::new(Arc::clone(&workplace.store), hub.settings()).pull("tiny").unwrap();
    let mut events = Vec::new();
    while let Some(event) = listener.next().await {
        events.push(event.unwrap());
    }
    let statuses: Vec<&str> = events.iter().map(|event| event.status.as_str()).collect();
    assert_eq!((statuses[0], *statuses.last().unwrap()), ("pulling manifest", "success"));
    let size = model()[0].1.len() as u64;
    let whole = events.iter().find(|event| event.completed == Some(size)).expect("the last byte is told");
    assert_eq!(whole.total, Some(size));
    assert!(whole.digest.as_ref().unwrap().starts_with("sha256:"));
}
