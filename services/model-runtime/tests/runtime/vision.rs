//! A model that sees, with weights that the tests make.

use std::path::Path;
use std::sync::Arc;

use anwen_model_runtime::Config;
use anwen_model_runtime::engine::load::load;
use anwen_model_runtime::engine::{ChatJob, Engine, Image, Prompt};

use crate::models_made::{Answer, Format, answer, files_at, loaded, question};
use crate::tiny_model::{FAMILY_CONTEXT, Family, vision};

const SIDE: usize = 8;

/// A picture in BMP's simplest form, 24 bits a point, lines from the bottom up.
fn picture(colour: impl Fn(usize, usize) -> [u8; 3]) -> Image {
    const HEADER: usize = 54;
    let size = HEADER + SIDE * SIDE * 3;
    let mut bytes = b"BM".to_vec();
    bytes.extend((size as u32).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend((HEADER as u32).to_le_bytes());
    bytes.extend(40u32.to_le_bytes());
    bytes.extend((SIDE as u32).to_le_bytes());
    bytes.extend((SIDE as u32).to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(24u16.to_le_bytes());
    bytes.extend([0; 24]);
    (0..SIDE).for_each(|y| (0..SIDE).for_each(|x| bytes.extend(colour(x, y))));
    Image(bytes.into())
}

async fn seeing(folder: &Path) -> Arc<dyn Engine> {
    let path = folder.join("sees");
    vision::write_folder(&path, FAMILY_CONTEXT);
    load(&files_at(&path, |_| {}), &Config::default()).await.unwrap()
}

fn about(picture: Option<Image>) -> ChatJob {
    let mut job = question("what is it?", 6);
    job.logprobs = Some(2);
    if let Prompt::Chat(turns) = &mut job.prompt {
        turns[0].images.extend(picture);
    }
    job
}

fn first_probability(answer: &Answer) -> f32 {
    answer.logprobs[0].logprob
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pictures_give_two_answers_and_one_picture_gives_one() {
    let folder = tempfile::tempdir().unwrap();
    let engine = seeing(folder.path()).await;
    assert!(engine.capabilities().vision);
    let red = || picture(|_, _| [0, 0, 255]);
    let striped = || picture(|x, _| if x < SIDE / 2 { [0; 3] } else { [255; 3] });
    let first = answer(&engine, about(Some(red()))).await;
    let again = answer(&engine, about(Some(red()))).await;
    let other = answer(&engine, about(Some(striped()))).await;
    let blind = answer(&engine, about(None)).await;
    assert_eq!(first.end.usage.completion_tokens, 6);
    assert!((first_probability(&first) - first_probability(&again)).abs() < 1e-4);
    assert!((first_probability(&first) - first_probability(&other)).abs() > 1e-3, "{first:?} {other:?}");
    assert!(first.end.usage.prompt_tokens > blind.end.usage.prompt_tokens, "a picture takes tokens");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_eyes_refuses_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let engine = loaded(folder.path(), Family::Gemma3, Format::Safetensors).await;
    assert!(!engine.capabilities().vision);
    assert!(engine.chat(about(Some(picture(|_, _| [1, 2, 3])))).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_picture_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let engine = seeing(folder.path()).await;
    assert!(engine.chat(about(Some(Image(b"not a picture".to_vec().into())))).await.is_err());
}
