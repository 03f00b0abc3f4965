//! Documents and their versions in SQL: what is read ([`read`]) and how they change ([`change`]).

mod change;
mod children;
mod read;

pub use change::*;
pub use children::*;
pub use read::*;
