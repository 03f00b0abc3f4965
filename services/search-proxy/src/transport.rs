//! What the engine's client and the page reader share.

use std::error::Error;
use std::iter::successors;

/// Why a body was not taken.
pub enum BodyError {
    TooLarge,
    Transport(reqwest::Error),
}

/// The body of an answer, refused as soon as it is larger than `max_bytes` (counted after decompression).
pub async fn bounded_body(mut answer: reqwest::Response, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(BodyError::Transport)? {
        if body.len() + part.len() > max_bytes {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// An error and what caused it, outermost first.
pub fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The innermost cause in words. Unlike the client's own words it holds no address, and so no query.
pub fn root_cause(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}
