//! Which addresses a redirect may lead to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::error::StoreError;

/// Whether an address is one of the public internet: none of the ranges that IANA keeps for special use (RFC 6890), and no
/// form of IPv6 that carries such an IPv4 address.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.segments() {
            // IPv4-mapped, NAT64 and 6to4 are judged by what they carry, or not taken at all.
            [0, 0, 0, 0, 0, 0xffff, high, low] => is_public_v4(v4_of(high, low)),
            [0x64, 0xff9b, ..] | [0x2002, ..] => false,
            // Teredo, benchmarking, ORCHID and documentation.
            [0x2001, second, ..] if second < 0x0200 || second == 0x0db8 => false,
            [0x3fff, second, ..] if second < 0x1000 => false,
            // Only this eighth of the space is given out as global unicast.
            [first, ..] => first & 0xe000 == 0x2000,
        },
    }
}

fn v4_of(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low))
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast();
    let [a, b, c, _] = address.octets();
    let reserved =
        matches!((a, b, c), (0 | 240..=255, ..) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99))
            || (a == 198 && matches!(b, 18 | 19));
    !special && !reserved
}

/// Refuses a redirect that leads to this network, or away from HTTPS.
pub(super) fn check_redirect(from: &Url, to: &Url) -> Result<(), StoreError> {
    let refuse = |why: &str| Err(StoreError::AddressRefused { address: to.to_string(), why: why.to_owned() });
    if !matches!(to.scheme(), "http" | "https") {
        return refuse("it is neither http nor https");
    }
    if from.scheme() == "https" && to.scheme() == "http" {
        return refuse("it leads from https to http");
    }
    let literal = match to.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) => return Ok(()),
        None => return refuse("it has no host"),
    };
    if is_public(literal) { Ok(()) } else { refuse("it is not on the public internet") }
}

/// Resolves names to public addresses only.
pub(super) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // A name with one private address is refused whole: it may be asked again and answer with that one.
            if found.is_empty() || !found.iter().all(|address| is_public(address.ip())) {
                return Err(format!("{} is not on the public internet", name.as_str()).into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_not_public() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn redirects_stay_on_the_public_internet_and_on_https() {
        let check =
            |from: &str, to: &str| check_redirect(&from.parse().unwrap(), &to.parse().unwrap()).is_ok();
        assert!(check("https://a.example/x", "https://cdn.example/y"));
        for to in
            ["http://cdn.example/", "https://10.0.0.1/", "https://[::1]/", "https://2130706433/", "file:///x"]
        {
            assert!(!check("https://a.example/x", to), "{to}");
        }
    }
}
