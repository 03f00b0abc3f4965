//! Asking a service on this machine whether it is well: what an image's health check runs, where there is no other program.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Time for connecting, and again for the answer. Readiness gives each dependency three seconds.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Bytes of an answer that are read: the status and what readiness says.
const MAX_ANSWER_BYTES: u64 = 16 * 1024;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Whether the process answers.
    Alive,
    /// Whether it can do its work: its dependencies answer too.
    Ready,
}

impl Probe {
    /// As a command's `--ready` says it.
    pub fn of(ready: bool) -> Self {
        if ready { Self::Ready } else { Self::Alive }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Alive => "/healthz",
            Self::Ready => "/readyz",
        }
    }
}

/// Asks the service that listens on `listen`. An error says what it answered.
pub fn probe(listen: SocketAddr, probe: Probe) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&reachable(listen), TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", probe.path())?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER_BYTES).read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    if status == "200" {
        return Ok(());
    }
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Err(io::Error::other(format!("{} answered {status}: {body}", probe.path())))
}

/// A service that listens on every address is reached on loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let mut address = listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    address
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::http::{ReadyCheck, Scaffold};
    use axum::Router;

    async fn asked(check: Result<(), String>, what: Probe) -> io::Result<()> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut address = listener.local_addr().unwrap();
        address.set_ip(Ipv4Addr::UNSPECIFIED.into());
        let checks = vec![ReadyCheck::new("database", move || std::future::ready(check.clone()))];
        let router = Scaffold::new("probed").ready(checks).wrap(Router::new());
        tokio::spawn(async move { axum::serve(listener, router).await });
        tokio::task::spawn_blocking(move || probe(address, what)).await.unwrap()
    }

    #[tokio::test]
    async fn a_service_without_its_database_is_alive_and_not_ready() {
        let down = Err("the database is down".to_owned());
        asked(down.clone(), Probe::Alive).await.unwrap();
        let error = asked(down, Probe::Ready).await.unwrap_err().to_string();
        assert!(error.contains("503") && error.contains("the database is down"), "{error}");
        asked(Ok(()), Probe::Ready).await.unwrap();
    }

    #[test]
    fn nobody_there_is_an_error() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        probe(free, Probe::Alive).unwrap_err();
    }
}
