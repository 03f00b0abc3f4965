//! `anwen healthcheck`

use crate::cli::{CommonArguments, HealthcheckArguments};
use crate::compose::listen_address;
use crate::failure::Failure;
use crate::workplace::read_settings;
use anwen_platform::http::{Probe, probe};

pub async fn run(common: &CommonArguments, arguments: &HealthcheckArguments) -> Result<(), Failure> {
    let web: anwen_web::Config = read_settings(common)?.section("web")?;
    let listen = listen_address(&web.listen).await?;
    probe(listen, Probe::of(arguments.ready))
        .map_err(|cause| Failure::new("unavailable", format!("the server at {listen} is not well: {cause}")))
}
