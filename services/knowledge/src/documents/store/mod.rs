//! Documents and their versions in SQL: what is read ([`read`]) and how they change ([`change`]).

mod change;
mod read;

pub use change::*;
pub use read::*;
