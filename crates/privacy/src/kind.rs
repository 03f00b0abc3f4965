//! What can be found.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A kind of what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Email,
    /// Chinese mobile and land lines, international numbers. Not service hot lines (400, toll-free).
    Phone,
    /// Chinese resident identity numbers (18 digits with check digit; 15 digits where a label says so), Hong Kong and
    /// Taiwan identity cards, United States social security and British national insurance numbers.
    IdentityNumber,
    /// Payment cards by their issuer's prefix, length and check digit; IBANs.
    BankCard,
    /// Passports and travel permits where a label says so, and machine-readable lines.
    Passport,
    /// Plates of mainland China, those of new-energy vehicles too.
    LicencePlate,
    /// A street with a house number: where somebody lives or works.
    Address,
    /// Keys, tokens, passwords.
    Secret,
    /// An entry of the caller's own word list.
    Word,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Email,
        Self::Phone,
        Self::IdentityNumber,
        Self::BankCard,
        Self::Passport,
        Self::LicencePlate,
        Self::Address,
        Self::Secret,
        Self::Word,
    ];

    /// The kind's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::IdentityNumber => "identity_number",
            Self::BankCard => "bank_card",
            Self::Passport => "passport",
            Self::LicencePlate => "licence_plate",
            Self::Address => "address",
            Self::Secret => "secret",
            Self::Word => "word",
        }
    }

    /// Which kind names a stretch of text that two kinds claim: the one that is surer of itself.
    pub(crate) fn certainty(self) -> u8 {
        match self {
            Self::IdentityNumber => 8,
            Self::BankCard => 7,
            Self::Secret => 6,
            Self::Email => 5,
            Self::LicencePlate => 4,
            Self::Passport => 3,
            Self::Phone => 2,
            Self::Word => 1,
            Self::Address => 0,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such kind of sensitive content: {0}")]
pub struct UnknownKind(pub String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct KindSet(u16);

impl KindSet {
    pub fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u16) != 0
    }
}

impl FromIterator<Kind> for KindSet {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |set, kind| set | 1 << kind as u16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_read_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert!("iban".parse::<Kind>().is_err());
    }

    #[test]
    fn a_set_holds_what_it_was_made_of() {
        let set: KindSet = [Kind::Email, Kind::Word].into_iter().collect();
        let held: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| set.has(*kind)).collect();
        assert_eq!(held, [Kind::Email, Kind::Word]);
    }
}
