//! `anwen doctor`, `reindex` and `migrate`.

use crate::cli::CommonArguments;
use crate::failure::Failure;

pub async fn doctor(_common: &CommonArguments) -> Result<(), Failure> {
    Err(Failure::new("internal", "to be written"))
}

pub async fn reindex(_common: &CommonArguments) -> Result<(), Failure> {
    Err(Failure::new("internal", "to be written"))
}

pub async fn migrate(_common: &CommonArguments) -> Result<(), Failure> {
    Err(Failure::new("internal", "to be written"))
}
