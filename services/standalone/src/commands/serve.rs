//! `anwen serve`

use crate::cli::CommonArguments;
use crate::compose::{Ports, start};
use crate::failure::Failure;
use crate::workplace::Workplace;
use anwen_platform::{shutdown, telemetry};

pub async fn run(common: &CommonArguments) -> Result<(), Failure> {
    let workplace = Workplace::open(common)?;
    super::check_config::check(&workplace.settings)?;
    telemetry::init_logs(&workplace.common.log, &workplace.common.traces)
        .map_err(|cause| Failure::new("invalid_config", cause.to_string()))?;
    let running = start(&workplace, Ports::AsSet).await?;
    tracing::info!(
        web = %running.instance.web, data = %workplace.data.path().display(),
        "ready: open http://{}", reachable(running.instance.web),
    );
    let stopped = running.shutdown.token();
    tokio::select! {
        signal = shutdown::wait_for_signal() => signal?,
        () = stopped.cancelled() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

/// An address that a browser on this machine can open.
fn reachable(address: std::net::SocketAddr) -> String {
    if address.ip().is_unspecified() || address.ip().is_loopback() {
        return format!("localhost:{}", address.port());
    }
    address.to_string()
}
