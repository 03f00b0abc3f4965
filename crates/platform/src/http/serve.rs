//! Listening and serving until told to stop.

use crate::shutdown::DRAIN_TIMEOUT;
use axum::Router;
use axum::serve::ListenerExt as _;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Listens on `address`; with `or_free_port`, a taken port is replaced by a free one of the same address.
pub async fn bind(address: SocketAddr, or_free_port: bool) -> io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(cause) if or_free_port && cause.kind() == io::ErrorKind::AddrInUse => {
            let listener = TcpListener::bind(SocketAddr::new(address.ip(), 0)).await?;
            tracing::warn!(wanted = %address, taken_instead = %listener.local_addr()?, "the port is taken");
            Ok(listener)
        }
        result => result,
    }
}

/// Serves until `stop` fires; then no new connection is taken, and those that are open may finish within
/// `DRAIN_TIMEOUT` (an endless stream does not hold the process back).
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    let listener = listener.tap_io(|connection| {
        // Streamed words must not wait for a fuller packet.
        if let Err(cause) = connection.set_nodelay(true) {
            tracing::debug!(%cause, "TCP_NODELAY was refused");
        }
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let draining = stop.clone();
    let server =
        axum::serve(listener, service).with_graceful_shutdown(async move { draining.cancelled().await });
    tokio::select! {
        result = server => result,
        () = async { stop.cancelled().await; tokio::time::sleep(DRAIN_TIMEOUT).await } => Ok(()),
    }
}
