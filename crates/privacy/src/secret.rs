//! Secrets: private keys, tokens of known shapes, passwords in assignments and addresses, random-looking keys.

use crate::entropy::is_random;
use crate::folded::Folded;
use crate::kind::Kind;
use crate::scan::Found;
use crate::tokens::SHAPES;

/// How far the end of a private key is looked for; beyond, the key is taken to be cut off here.
const MAX_PRIVATE_KEY: usize = 16 * 1024;
/// Characters of a JSON web token.
const MAX_JWT: usize = 8 * 1024;
/// Characters of a value in an assignment, and how many of them a password has at least.
const MAX_VALUE: usize = 256;
const MIN_VALUE: usize = 4;

/// Finds every secret.
pub(crate) fn find(folded: &Folded, found: &mut Vec<Found>) {
    let mut at = 0;
    while at < folded.len() {
        let range = match folded.chars[at] {
            '-' => private_key(folded, at),
            ':' if folded.starts_with(at, "://") => password_in_address(folded, at),
            '=' | ':' | '是' | '为' => assignment(folded, at),
            one if one.is_ascii_alphanumeric() && begins_word(folded, at) => word(folded, at),
            _ => None,
        };
        match range {
            Some(range) => {
                at = range.end.max(at + 1);
                found.push(Found::new(Kind::Secret, range));
            }
            None => at += 1,
        }
    }
}

type Range = std::ops::Range<usize>;

fn begins_word(folded: &Folded, at: usize) -> bool {
    !folded.before(at).is_some_and(|one| one.is_ascii_alphanumeric() || one == '_')
}

fn private_key(folded: &Folded, at: usize) -> Option<Range> {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    if !folded.starts_with(at, BEGIN) {
        return None;
    }
    let title = folded
        .run(at + BEGIN.len(), 40, |one| one.is_ascii_uppercase() || one.is_ascii_digit() || one == ' ');
    if !folded.text(at..title).contains("PRIVATE KEY") {
        return None;
    }
    let limit = (title + MAX_PRIVATE_KEY).min(folded.len());
    let footer = (title..limit).find(|place| folded.chars[*place] == '-' && folded.starts_with(*place, END));
    let Some(footer) = footer else {
        // Cut off: what still looks like the key's body goes.
        return Some(
            at..folded
                .run(title, MAX_PRIVATE_KEY, |one| one.is_ascii_alphanumeric() || "+/=-:,\n ".contains(one)),
        );
    };
    let end = folded
        .run(footer + END.len(), 48, |one| one.is_ascii_uppercase() || one.is_ascii_digit() || one == ' ');
    Some(at..folded.run(end, 5, |one| one == '-'))
}

/// `scheme://user:password@host`: the password.
fn password_in_address(folded: &Folded, at: usize) -> Option<Range> {
    let start = at + 3;
    let end = folded.run(start, MAX_VALUE, |one| !one.is_whitespace() && !"/?#<>\"'@".contains(one));
    if folded.at(end) != Some('@') {
        return None;
    }
    let colon = (start..end).find(|place| folded.chars[*place] == ':')?;
    let value = folded.text(colon + 1..end);
    (!value.is_empty() && !is_placeholder(&value)).then_some(colon + 1..end)
}

/// A word that is a token by its own shape.
fn word(folded: &Folded, at: usize) -> Option<Range> {
    jwt(folded, at)
        .or_else(|| shaped(folded, at))
        .or_else(|| bot_token(folded, at))
        .or_else(|| webhook(folded, at))
        .or_else(|| random(folded, at))
}

fn jwt(folded: &Folded, at: usize) -> Option<Range> {
    if !folded.starts_with(at, "eyJ") {
        return None;
    }
    let part =
        |start: usize| folded.run(start, MAX_JWT, |one| one.is_ascii_alphanumeric() || "-_".contains(one));
    let header = part(at);
    let payload = part(header + 1);
    let is_token = folded.at(header) == Some('.')
        && header - at >= 12
        && folded.starts_with(header + 1, "eyJ")
        && payload - header >= 10
        && folded.at(payload) == Some('.');
    is_token.then(|| at..part(payload + 1))
}

fn shaped(folded: &Folded, at: usize) -> Option<Range> {
    SHAPES.iter().find_map(|shape| {
        if !folded.starts_with(at, shape.prefix) {
            return None;
        }
        let start = at + shape.prefix.len();
        let mut end = folded.run(start, shape.max + 1, |one| shape.alphabet.has(one));
        if folded.before(end) == Some('.') {
            end -= 1;
        }
        let body = folded.chars.get(start..end)?;
        let has_both = body.iter().any(char::is_ascii_digit) && body.iter().any(char::is_ascii_alphabetic);
        ((shape.min..=shape.max).contains(&body.len()) && has_both).then_some(at..end)
    })
}

/// A Telegram bot's: digits, a colon, 35 characters.
fn bot_token(folded: &Folded, at: usize) -> Option<Range> {
    let colon = folded.run(at, 11, |one| one.is_ascii_digit());
    if !(8..=10).contains(&(colon - at)) || folded.at(colon) != Some(':') {
        return None;
    }
    let end = folded.run(colon + 1, 36, |one| one.is_ascii_alphanumeric() || "-_".contains(one));
    (end - colon == 36).then_some(at..end)
}

/// Addresses that are themselves the permission to post.
fn webhook(folded: &Folded, at: usize) -> Option<Range> {
    const HOOKS: [&str; 3] = [
        "hooks.slack.com/services/",
        "oapi.dingtalk.com/robot/send?access_token=",
        "qyapi.weixin.qq.com/cgi-bin/webhook/send?key=",
    ];
    let hook = HOOKS.into_iter().find(|hook| folded.starts_with(at, hook))?;
    let start = at + hook.len();
    let end = folded.run(start, MAX_VALUE, |one| one.is_ascii_alphanumeric() || "/-_".contains(one));
    (end - start >= 16).then_some(start..end)
}

fn random(folded: &Folded, at: usize) -> Option<Range> {
    // What follows a slash is a part of an address or of a path.
    if folded.before(at).is_some_and(|one| "/.%&?#@".contains(one)) {
        return None;
    }
    let end = folded.run(at, 4 * MAX_VALUE, |one| one.is_ascii_alphanumeric() || "+/=_-".contains(one));
    let slashes = folded.chars[at..end].iter().filter(|one| **one == '/').count();
    let in_address = folded.starts_with(end, "://")
        || folded.at(end) == Some('.') && folded.at(end + 1).is_some_and(char::is_alphanumeric);
    (is_random(&folded.chars[at..end]) && !in_address && slashes <= (end - at) / 16).then_some(at..end)
}

/// Names of what is secret, as they stand before `=` or `:`.
const SECRET_NAMES: [&str; 33] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "passcode",
    "secret",
    "secretkey",
    "secret_key",
    "secret-key",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "api key",
    "access_key",
    "access-key",
    "accesskey",
    "access key",
    "accountkey",
    "client_secret",
    "client-secret",
    "private_key",
    "private-key",
    "auth_token",
    "bearer",
    "authorization",
    "credential",
    "credentials",
    "login pin",
    "secret key",
    "access token",
    "api token",
    "secretaccesskey",
];
const CHINESE_NAMES: [&str; 9] =
    ["密码", "密碼", "口令", "密钥", "秘钥", "令牌", "访问密钥", "登录密码", "授权码"];

/// The value behind `=`, `:` or 是 at `at`, when what stands before is the name of a secret.
fn assignment(folded: &Folded, at: usize) -> Option<Range> {
    let name = assigned_name(folded, at)?;
    let mut start = folded.run(at + 1, 1, |one| ">=".contains(one));
    start = folded.run(start, 4, |one| one == ' ');
    for scheme in ["Bearer ", "bearer ", "Basic ", "basic ", "Token "] {
        if folded.starts_with(start, scheme) {
            start += scheme.len();
        }
    }
    let quote = folded.at(start).filter(|one| "\"'`「『[".contains(*one) && *one != '[');
    let end = match quote {
        Some(quote) => {
            start += 1;
            let closing = match quote {
                '「' => '」',
                '『' => '』',
                same => same,
            };
            folded.run(start, MAX_VALUE, |one| one != closing && one != '\n')
        }
        None => bare_value_end(folded, start),
    };
    let value = folded.text(start..end);
    is_secret_value(&name, &value, quote.is_some() || folded.at(at) == Some('=')).then_some(start..end)
}

/// Where a value without quotes ends: at a space or at punctuation that ends a sentence, and at what is not ASCII.
fn bare_value_end(folded: &Folded, start: usize) -> usize {
    let end = folded.run(start, MAX_VALUE, |one| one.is_ascii_graphic() && !",;\"'<>|`".contains(one));
    let is_end = |one: char| ".)]}".contains(one);
    let mut last = end;
    while last > start && folded.before(last).is_some_and(is_end) {
        last -= 1;
    }
    last
}

enum Name {
    /// A password or a passphrase: short and simple ones exist.
    Password,
    Other,
}

fn assigned_name(folded: &Folded, at: usize) -> Option<Name> {
    let end = folded.run_back(at, 3, |one| " \"'`])".contains(one));
    let start = folded.run_back(end, 24, |one| one.is_alphanumeric() || "_- .".contains(one));
    let before = folded.text(start..end).to_lowercase();
    if let Some(name) = CHINESE_NAMES.iter().find(|name| before.ends_with(*name)) {
        return Some(if name.ends_with('码') || name.ends_with('碼') || *name == "口令" {
            Name::Password
        } else {
            Name::Other
        });
    }
    if folded.at(at).is_some_and(|one| "是为".contains(one)) {
        return None;
    }
    let name = SECRET_NAMES.iter().filter(|name| before.ends_with(*name)).max_by_key(|name| name.len())?;
    let prefix = before[..before.len() - name.len()].chars().next_back();
    // `db_password` and `userPassword` are names of one too; `subtoken` is not.
    let boundary = folded.at(end - name.chars().count()).is_some_and(char::is_uppercase);
    if prefix.is_some_and(|one| one.is_ascii_alphanumeric()) && !boundary {
        return None;
    }
    Some(if name.starts_with("pass") || *name == "pwd" { Name::Password } else { Name::Other })
}

/// Words that stand where a value would, in examples and descriptions.
const PLACEHOLDERS: [&str; 38] = [
    "null",
    "none",
    "nil",
    "true",
    "false",
    "string",
    "str",
    "text",
    "required",
    "optional",
    "undefined",
    "example",
    "changeme",
    "password",
    "secret",
    "token",
    "yourpassword",
    "your_password",
    "your-password",
    "yoursecret",
    "todo",
    "tbd",
    "n/a",
    "empty",
    "value",
    "redacted",
    "hidden",
    "masked",
    "integer",
    "number",
    "bool",
    "boolean",
    "here",
    "xxx",
    "test",
    "default",
    "env",
    "placeholder",
];

fn is_placeholder(value: &str) -> bool {
    let lower = value.to_lowercase();
    let bare: &str = lower.trim_matches(|one: char| "<>{}[]()$%*.\"'".contains(one));
    let repeated = value.chars().all(|one| "*xX.•-_#?●".contains(one));
    let templated = value.starts_with(['$', '<', '{', '%'])
        || value.contains("${")
        || value.contains("{{")
        || value.contains("()");
    repeated
        || templated
        || bare.is_empty()
        || PLACEHOLDERS.contains(&bare)
        || lower.starts_with("your")
        || lower.starts_with("my_")
        || lower.contains("xxxx")
        || lower.starts_with("os.environ")
        || lower.starts_with("process.env")
        || lower.starts_with("getenv")
}

fn is_secret_value(name: &Name, value: &str, is_assigned: bool) -> bool {
    let length = value.chars().count();
    if length < MIN_VALUE
        || is_placeholder(value)
        || value.chars().any(|one| !one.is_ascii_graphic() && one != ' ')
    {
        return false;
    }
    // Quoted sentences are text.
    if value.matches(' ').count() > 2 {
        return false;
    }
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let has_letter = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let has_symbol = value.bytes().any(|byte| byte.is_ascii_punctuation() && !b"-_./".contains(&byte));
    let has_both_cases = value.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
        && value.bytes().any(|byte| byte.is_ascii_lowercase());
    match name {
        Name::Password if has_digit || has_symbol || has_both_cases => true,
        Name::Password => is_assigned && length >= 6,
        // Counts and names of tokens are no secrets: they need digits among letters, and some length.
        Name::Other => {
            length >= 8 && has_digit && has_letter && !value.contains(' ') && !value.starts_with("http")
        }
    }
}
