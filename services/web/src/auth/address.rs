//! Where a request comes from, when a reverse proxy stands in between.

use anwen_contract::ApiError;
use axum::extract::ConnectInfo;
use http::Extensions;
use http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

/// The client's address and whether it speaks TLS with the outermost trusted proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress {
    pub ip: Option<IpAddr>,
    pub secure: bool,
}

impl ClientAddress {
    /// The address as the audit log keeps it.
    pub fn text(&self) -> String {
        self.ip.map(|ip| ip.to_string()).unwrap_or_default()
    }
}

/// A range of addresses: `10.1.0.0/16`, or a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    first: u128,
    prefix_bits: u32,
}

/// The proxies whose forwarding headers are believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// Reads addresses and networks as they stand in the settings.
    pub fn parse(entries: &[String]) -> Result<Self, ApiError> {
        let networks: Option<Vec<Network>> = entries.iter().map(|entry| parse_network(entry)).collect();
        let networks = networks.ok_or_else(|| {
            ApiError::invalid("web.trusted_proxies: expected addresses or networks such as 10.0.0.0/8")
        })?;
        Ok(Self(networks))
    }

    fn contains(&self, ip: IpAddr) -> bool {
        let bits = bits_of(ip);
        self.0.iter().any(|network| {
            let shift = 128 - network.prefix_bits;
            shift >= 128 || bits >> shift == network.first >> shift
        })
    }

    /// The client of a request: the peer, or when that is a trusted proxy, the last address in
    /// `X-Forwarded-For` that is not one itself. What stands before it could have been written by anybody.
    pub fn client_of(&self, extensions: &Extensions, headers: &HeaderMap) -> ClientAddress {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let Some(peer) = peer.filter(|peer| self.contains(*peer)) else {
            return ClientAddress { ip: peer, secure: false };
        };
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let forwarded: Vec<IpAddr> =
            header("x-forwarded-for").split(',').filter_map(|part| part.trim().parse().ok()).collect();
        let client = forwarded.iter().rev().copied().find(|ip| !self.contains(*ip));
        let protocol = header("x-forwarded-proto").rsplit(',').next().unwrap_or_default().trim();
        let secure = protocol.eq_ignore_ascii_case("https");
        ClientAddress { ip: client.or(forwarded.first().copied()).or(Some(peer)), secure }
    }
}

fn parse_network(text: &str) -> Option<Network> {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let ip: IpAddr = address.trim().parse().ok()?;
    let (width, offset) = if ip.is_ipv4() { (32, 96) } else { (128, 0) };
    let bits: u32 = prefix.map_or(Some(width), |prefix| prefix.trim().parse().ok())?;
    (bits <= width).then(|| Network { first: bits_of(ip), prefix_bits: bits + offset })
}

/// One number for both families: IPv4 as IPv6 maps it.
fn bits_of(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded_for: &str, proto: &str) -> (String, bool) {
        let trusted: Vec<String> = trusted.iter().map(|entry| (*entry).to_owned()).collect();
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded_for.parse().unwrap());
        headers.insert("x-forwarded-proto", proto.parse().unwrap());
        let client = TrustedProxies::parse(&trusted).unwrap().client_of(&extensions, &headers);
        (client.text(), client.secure)
    }

    #[test]
    fn forwarding_headers_count_only_from_trusted_proxies() {
        for (trusted, peer, forwarded_for, proto, expected) in [
            (&[][..], "9.9.9.9", "1.1.1.1", "https", ("9.9.9.9", false)),
            (&["10.0.0.0/8"], "10.1.2.3", "1.1.1.1", "https", ("1.1.1.1", true)),
            (&["10.0.0.0/8"], "10.1.2.3", "6.6.6.6, 1.1.1.1, 10.0.0.9", "http", ("1.1.1.1", false)),
            (&["10.0.0.0/8"], "11.1.2.3", "1.1.1.1", "https", ("11.1.2.3", false)),
            (&["::1"], "::1", "2001:db8::7", "https", ("2001:db8::7", true)),
            (&["10.0.0.0/8"], "10.1.2.3", "", "https", ("10.1.2.3", true)),
        ] {
            let (ip, secure) = client(trusted, peer, forwarded_for, proto);
            assert_eq!((ip.as_str(), secure), expected, "{trusted:?} {peer} {forwarded_for}");
        }
    }

    #[test]
    fn nonsense_in_the_setting_is_refused() {
        for entry in ["", "proxy", "10.0.0.0/33", "10.0.0.0/x"] {
            assert!(TrustedProxies::parse(&[entry.to_owned()]).is_err(), "{entry}");
        }
    }
}
