//! `anwen models …`: on the models directory itself, beside a server or without one.

use crate::cli::{CommonArguments, ExportArguments, ImportArguments, ModelsCommand};
use crate::failure::Failure;
use crate::workplace::{find_models, read_settings};
use anwen_contract::{ApiError, ErrorCode};
use anwen_model_runtime::RuntimeError;
use anwen_models::{ModelName, Paths, PullEvent, Puller, Recipe, Store, StoreError};
use anwen_platform::settings::ServerSettings;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::{BufReader, BufWriter, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;

pub async fn run(common: &CommonArguments, command: ModelsCommand) -> Result<(), Failure> {
    let settings = read_settings(common)?;
    let server: ServerSettings = settings.section("server")?;
    let store = Arc::new(Store::open(&find_models(&server.models_dir)));
    let json = common.json;
    match command {
        ModelsCommand::Pull(arguments) => {
            let runtime: anwen_model_runtime::Config = settings.section("model_runtime")?;
            let puller = Puller::new(store, runtime.pull);
            pull(&puller, &arguments.name, json).await
        }
        // The rest blocks, and nothing else runs in this process.
        ModelsCommand::List => {
            list(&store, json);
            Ok(())
        }
        ModelsCommand::Import(arguments) => import(&store, &arguments, json),
        ModelsCommand::Export(arguments) => export(&store, &arguments, json),
        ModelsCommand::Remove(arguments) => {
            let name = parse(&arguments.name)?;
            let freed = store.remove(&name).map_err(failure)?;
            say(json, &serde_json::json!({"name": name.to_string(), "freed_bytes": freed}), || {
                format!("{name} is removed; {freed} bytes are free again")
            });
            Ok(())
        }
    }
}

fn failure(error: StoreError) -> Failure {
    ApiError::from(RuntimeError::from(error)).into()
}

fn parse(name: &str) -> Result<ModelName, Failure> {
    name.parse::<ModelName>().map_err(|error| failure(error.into()))
}

fn say(json: bool, value: &serde_json::Value, text: impl FnOnce() -> String) {
    if json {
        println!("{value}");
    } else {
        println!("{}", text());
    }
}

fn list(store: &Store, json: bool) {
    for files in store.list() {
        let value = serde_json::json!({
            "name": files.name, "family": files.family, "format": files.format(),
            "quantization": files.quantization, "size_bytes": files.size_bytes,
            "parameters": files.parameters, "context_tokens": files.context_tokens,
            "digest": files.fingerprint(),
        });
        say(json, &value, || {
            let mebibytes = files.size_bytes / (1024 * 1024);
            format!("{}\t{}\t{}\t{mebibytes} MiB", files.name, files.family, files.quantization)
        });
    }
}

/// A bar on a terminal, a line for each step elsewhere, and every event as JSON where that is asked for.
async fn pull(puller: &Puller, name: &str, json: bool) -> Result<(), Failure> {
    let mut listener = puller.pull(name).map_err(failure)?;
    let bar = if std::io::stderr().is_terminal() && !json { byte_bar() } else { ProgressBar::hidden() };
    let mut last = String::new();
    while let Some(event) = listener.next().await {
        let event = event.map_err(failure)?;
        if json {
            println!("{}", serde_json::json!(event));
            continue;
        }
        show(&bar, &event, &mut last);
    }
    bar.finish_and_clear();
    Ok(())
}

fn show(bar: &ProgressBar, event: &PullEvent, last: &mut String) {
    if let Some(total) = event.total {
        bar.set_length(total);
        bar.set_position(event.completed.unwrap_or_default());
        bar.set_message(event.status.clone());
    }
    if *last != event.status {
        last.clone_from(&event.status);
        if bar.is_hidden() || event.total.is_none() {
            bar.suspend(|| println!("{}", event.status));
        }
    }
}

fn byte_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

fn import(store: &Store, arguments: &ImportArguments, json: bool) -> Result<(), Failure> {
    let path = &arguments.path;
    let name = arguments.name.as_deref().map(parse).transpose()?;
    let is_archive = path.is_file() && path.extension().is_none_or(|kind| kind != "gguf");
    let stored = if is_archive {
        store.import(&mut BufReader::new(File::open(path)?), name.as_ref())
    } else {
        let name = match name {
            Some(name) => name,
            None => parse(&stem(path))?,
        };
        let from = path.canonicalize()?.display().to_string();
        let recipe = Recipe { from: Some(from), ..Recipe::default() };
        store.create(&name, &recipe, Paths::Allowed, &mut |_| {})
    };
    let stored = stored.map_err(failure)?;
    let digest = stored.manifest.digest();
    let value = serde_json::json!({"name": stored.name.to_string(), "digest": digest});
    say(json, &value, || format!("{} is here (sha256:{digest})", stored.name));
    Ok(())
}

fn stem(path: &Path) -> String {
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn export(store: &Store, arguments: &ExportArguments, json: bool) -> Result<(), Failure> {
    let name = parse(&arguments.name)?;
    let file = File::create_new(&arguments.file).map_err(|cause| {
        Failure::new(ErrorCode::StorageUnavailable.as_str(), format!("{}: {cause}", arguments.file.display()))
    })?;
    let mut writer = BufWriter::new(file);
    let written = store.export(&name, &mut writer).and_then(|()| Ok(writer.flush()?));
    if let Err(error) = written {
        // Half an archive is none.
        std::fs::remove_file(&arguments.file).ok();
        return Err(failure(error));
    }
    let value = serde_json::json!({"name": name.to_string(), "file": arguments.file});
    say(json, &value, || format!("{name} is in {}", arguments.file.display()));
    Ok(())
}
