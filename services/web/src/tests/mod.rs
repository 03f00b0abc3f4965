//! The service as a whole: its router over a real database, with fakes in place of the other services.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounts;
mod answers;
mod compatible;
mod conversations;
mod fakes;
mod interface;
mod relays;
mod runtime_models;
mod sign_in;
mod stores;
mod world;
