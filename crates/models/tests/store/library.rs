//! Creating, copying and removing.

use std::collections::BTreeMap;
use std::sync::Arc;

use anwen_models::{ModelName, Modelfile, Paths, Recipe, Store, StoreError, show};

use crate::support::{Workplace, gguf};

fn name(text: &str) -> ModelName {
    text.parse().unwrap()
}

fn create(workplace: &Workplace, text: &str, recipe: &Recipe) -> Result<(), StoreError> {
    workplace.store.create(&name(text), recipe, Paths::Refused, &mut |_| {}).map(drop)
}

fn of_blob(digest: &str) -> Recipe {
    Recipe { files: BTreeMap::from([("m.gguf".to_owned(), digest.to_owned())]), ..Recipe::default() }
}

#[test]
fn a_model_is_made_of_an_uploaded_blob_and_keeps_its_settings() {
    let workplace = Workplace::new();
    let digest = workplace.upload(&gguf("a", 100));
    let mut recipe = of_blob(&digest);
    recipe.system = Some("Answer briefly.".to_owned());
    recipe.parameters.insert("num_ctx".to_owned(), 2048.into());
    create(&workplace, "tiny:1b", &recipe).unwrap();
    let models = workplace.store.list();
    let model = &models[0];
    assert_eq!((model.name.as_str(), model.family.as_str()), ("tiny:1b", "llama"));
    assert_eq!(model.settings.system.as_deref(), Some("Answer briefly."));
    assert_eq!(model.settings.parameters["num_ctx"], 2048);
    assert!(model.settings.digest.is_some());
    let stored = workplace.store.get(&name("tiny:1b"));
    let shown = show(model, stored.as_ref());
    let read_back = Modelfile::parse(&shown.modelfile).unwrap();
    assert_eq!((read_back.from.as_str(), read_back.system), ("tiny:1b", recipe.system));
    assert_eq!((shown.template.as_str(), shown.info["general.name"].as_str()), ("{{ x }}", Some("a")));
}

#[test]
fn blobs_that_two_models_share_go_with_the_second() {
    let workplace = Workplace::new();
    create(&workplace, "first", &of_blob(&workplace.upload(&gguf("a", 100)))).unwrap();
    workplace.store.copy(&name("first"), &name("second:v2")).unwrap();
    assert_eq!((workplace.names(), workplace.blobs().len()), (vec!["first".into(), "second:v2".into()], 1));
    assert_eq!(workplace.store.remove(&name("first")).unwrap(), 0);
    assert_eq!((workplace.names(), workplace.blobs().len()), (vec!["second:v2".to_owned()], 1));
    assert!(workplace.store.remove(&name("second:v2")).unwrap() > 100);
    assert!(workplace.names().is_empty() && workplace.blobs().is_empty());
    assert!(matches!(workplace.store.remove(&name("first")), Err(StoreError::NotFound(_))));
}

#[test]
fn a_model_made_from_another_names_its_parent_and_shares_its_weights() {
    let workplace = Workplace::new();
    create(&workplace, "base", &of_blob(&workplace.upload(&gguf("a", 100)))).unwrap();
    let recipe: Recipe = Modelfile::parse("FROM base\nSYSTEM Be kind.\nPARAMETER stop END").unwrap().into();
    create(&workplace, "kind", &recipe).unwrap();
    let stored = workplace.store.get(&name("kind")).unwrap();
    assert_eq!(stored.manifest.parents, ["base:latest"]);
    assert_eq!(stored.manifest.version.to_string(), "1.1.0");
    assert_eq!(workplace.blobs().len(), 1);
    let base = workplace.store.get(&name("base")).unwrap();
    assert_ne!(base.manifest.digest(), stored.manifest.digest());
}

#[test]
fn a_file_put_there_by_hand_stays_a_model_and_is_not_removed() {
    let workplace = Workplace::new();
    workplace.write("dropped.gguf", &gguf("a", 10));
    assert_eq!(workplace.names(), ["dropped"]);
    let refused = workplace.store.remove(&name("dropped"));
    assert!(matches!(refused, Err(StoreError::PutThereByHand { .. })));
    workplace.store.copy(&name("dropped"), &name("adopted")).unwrap();
    assert_eq!(workplace.names(), ["adopted", "dropped"]);
}

#[test]
fn paths_of_the_server_are_not_taken_over_the_network() {
    let workplace = Workplace::new();
    workplace.write("secret/m.gguf", &gguf("a", 10));
    let path = workplace.directory.path().join("secret/m.gguf");
    let recipe = Recipe { from: Some(path.display().to_string()), ..Recipe::default() };
    assert!(matches!(create(&workplace, "stolen", &recipe), Err(StoreError::Invalid(_))));
    let made = workplace.store.create(&name("own"), &recipe, Paths::Allowed, &mut |_| {});
    assert_eq!(made.unwrap().files().unwrap().name, "own");
}

#[test]
fn what_no_engine_knows_takes_no_other_models_place() {
    let workplace = Workplace::new();
    create(&workplace, "good", &of_blob(&workplace.upload(&gguf("a", 10)))).unwrap();
    assert!(create(&workplace, "good", &of_blob(&workplace.upload(b"not a model"))).is_err());
    assert!(create(&workplace, "good", &of_blob(&format!("sha256:{}", "0".repeat(64)))).is_err());
    assert_eq!(workplace.store.list()[0].family, "llama");
}

#[test]
fn templates_of_go_and_unknown_kinds_of_quantisation_are_refused() {
    let workplace = Workplace::new();
    let mut recipe = of_blob(&workplace.upload(&gguf("a", 10)));
    recipe.template = Some("{{ .Prompt }}".to_owned());
    assert!(create(&workplace, "m", &recipe).unwrap_err().to_string().contains("Jinja"));
    recipe.template = None;
    recipe.quantize = Some("q4_K_M".to_owned());
    assert!(create(&workplace, "m", &recipe).unwrap_err().to_string().contains("q8_0"));
}

#[test]
fn an_interrupted_removal_is_finished_at_the_next_start() {
    let workplace = Workplace::new();
    create(&workplace, "m", &of_blob(&workplace.upload(&gguf("a", 10)))).unwrap();
    let library = workplace.directory.path().join("library");
    std::fs::rename(library.join("m@latest"), library.join(".old-x")).unwrap();
    std::fs::create_dir(library.join(".new-y")).unwrap();
    assert_eq!(workplace.blobs().len(), 1);
    drop(Store::open(workplace.directory.path()));
    assert!(workplace.blobs().is_empty());
    assert!(!library.join(".old-x").exists() && !library.join(".new-y").exists());
}

#[test]
fn a_full_disk_is_told_with_the_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let store =
        Store::with_free_space(directory.path(), Arc::new(|_: &std::path::Path| Ok(100 * 1024 * 1024)));
    assert!(store.check_space(10 * 1024 * 1024).is_ok());
    let refused = store.check_space(99 * 1024 * 1024);
    assert!(matches!(refused, Err(StoreError::DiskFull { free_bytes: 104_857_600, .. })));
}
