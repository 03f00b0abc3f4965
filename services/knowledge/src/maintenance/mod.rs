//! Keeping the house: removing what is not needed, looking for damage, rebuilding the indexes.

mod collector;
mod doctor;
pub mod store;

pub use collector::{Collected, Collector};
pub use doctor::{DoctorReport, examine};
