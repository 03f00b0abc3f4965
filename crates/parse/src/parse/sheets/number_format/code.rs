//! Format codes taken apart.

/// A part of a format code, for positive, negative, zero or otherwise chosen numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    pub(super) tokens: Vec<Token>,
    pub(super) condition: Option<Condition>,
    pub(super) is_date: bool,
    /// Names of days and months are Chinese.
    pub(super) is_chinese: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Literal(String),
    /// `0`, `#` or `?`.
    Digit(char),
    Point,
    Comma,
    Percent,
    /// Whether a plus sign is shown.
    Exponent(bool),
    Slash,
    /// `@`.
    Text,
    General,
    Date(DatePart),
}

/// With the number of letters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum DatePart {
    Year,
    Month(usize),
    Day(usize),
    Weekday(usize),
    Hour(usize),
    Minute(usize),
    Second(usize),
    /// Digits of a second's fraction.
    Fraction(usize),
    ElapsedHours(usize),
    ElapsedMinutes(usize),
    ElapsedSeconds(usize),
    HalfDay(HalfDay),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum HalfDay {
    AmPm,
    AP,
    Chinese,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Condition {
    operator: &'static str,
    bound: f64,
}

impl Condition {
    fn read(text: &str) -> Option<Self> {
        let operator = ["<=", ">=", "<>", "<", ">", "="].into_iter().find(|one| text.starts_with(one))?;
        Some(Self { operator, bound: text[operator.len()..].trim().parse().ok()? })
    }

    pub(super) fn holds(self, value: f64) -> bool {
        match self.operator {
            "<=" => value <= self.bound,
            ">=" => value >= self.bound,
            "<>" => value != self.bound,
            "<" => value < self.bound,
            ">" => value > self.bound,
            _ => value == self.bound,
        }
    }
}

pub(super) fn sections(code: &str) -> Vec<Section> {
    let mut sections = vec![Section::default()];
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let section = match sections.last_mut() {
            Some(section) => section,
            None => break,
        };
        if first == ';' {
            sections.push(Section::default());
            rest = &rest[1..];
        } else {
            rest = &rest[section.read(rest, first)..];
        }
    }
    sections.iter_mut().for_each(Section::settle);
    sections
}

impl Section {
    fn literal(&mut self, text: &str) {
        if let Some(Token::Literal(before)) = self.tokens.last_mut() {
            before.push_str(text);
        } else {
            self.tokens.push(Token::Literal(text.to_owned()));
        }
    }

    /// Reads one token and answers its length in bytes.
    fn read(&mut self, rest: &str, first: char) -> usize {
        let after = &rest[first.len_utf8()..];
        let second = after.chars().next();
        match first {
            '"' => {
                let end = after.find('"').unwrap_or(after.len());
                self.literal(&after[..end]);
                (1 + end + 1).min(rest.len())
            }
            '\\' | '!' => {
                self.literal(&second.map(String::from).unwrap_or_default());
                1 + second.map_or(0, char::len_utf8)
            }
            '_' | '*' => 1 + second.map_or(0, char::len_utf8),
            '[' => self.bracket(rest),
            '0' | '#' | '?' => self.simple(Token::Digit(first)),
            '.' => self.simple(Token::Point),
            ',' => self.simple(Token::Comma),
            '%' => self.simple(Token::Percent),
            '/' => self.simple(Token::Slash),
            '@' => self.simple(Token::Text),
            'E' | 'e' if matches!(second, Some('+' | '-')) => {
                self.tokens.push(Token::Exponent(second == Some('+')));
                2
            }
            _ => self.word(rest, first),
        }
    }

    fn simple(&mut self, token: Token) -> usize {
        self.tokens.push(token);
        1
    }

    /// `[Red]`, `[$¥-804]`, `[h]`, `[>=100]`.
    fn bracket(&mut self, rest: &str) -> usize {
        let Some(end) = rest.find(']') else {
            self.literal("[");
            return 1;
        };
        let inner = &rest[1..end];
        let lower = inner.to_ascii_lowercase();
        if let Some(currency) = inner.strip_prefix('$') {
            let (sign, locale) = currency.split_once('-').unwrap_or((currency, ""));
            self.literal(sign);
            // The low byte of a Windows language is its primary one; 4 is Chinese.
            let language =
                u32::from_str_radix(locale.get(locale.len().saturating_sub(4)..).unwrap_or(""), 16);
            self.is_chinese |=
                language.is_ok_and(|language| language & 0xff == 4) || locale.starts_with("zh");
        } else if !lower.is_empty() && lower.bytes().all(|byte| byte == lower.as_bytes()[0]) {
            match lower.as_bytes()[0] {
                b'h' => self.tokens.push(Token::Date(DatePart::ElapsedHours(lower.len()))),
                b'm' => self.tokens.push(Token::Date(DatePart::ElapsedMinutes(lower.len()))),
                b's' => self.tokens.push(Token::Date(DatePart::ElapsedSeconds(lower.len()))),
                _ => {}
            }
        } else if let Some(condition) = Condition::read(inner) {
            self.condition = Some(condition);
        }
        end + 1
    }

    fn word(&mut self, rest: &str, first: char) -> usize {
        let starts = |word: &str| rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        for (word, half) in [("AM/PM", HalfDay::AmPm), ("A/P", HalfDay::AP), ("上午/下午", HalfDay::Chinese)]
        {
            if starts(word) {
                self.tokens.push(Token::Date(DatePart::HalfDay(half)));
                return word.len();
            }
        }
        if starts("general") {
            self.tokens.push(Token::General);
            return "general".len();
        }
        let letter = first.to_ascii_lowercase();
        let run = rest.chars().take_while(|c| c.to_ascii_lowercase() == letter).count();
        let part = match letter {
            'y' | 'e' => DatePart::Year,
            'm' => DatePart::Month(run),
            'd' if run > 2 => DatePart::Weekday(run),
            'd' => DatePart::Day(run),
            'a' if run >= 3 => {
                self.is_chinese = true;
                DatePart::Weekday(run)
            }
            'h' => DatePart::Hour(run),
            's' => DatePart::Second(run),
            'g' | 'b' => return run,
            _ => {
                self.literal(first.encode_utf8(&mut [0; 4]));
                return first.len_utf8();
            }
        };
        self.tokens.push(Token::Date(part));
        run
    }

    /// Tells minutes from months, and fractions of seconds from decimals.
    fn settle(&mut self) {
        self.is_date = self.tokens.iter().any(|token| matches!(token, Token::Date(_)));
        if !self.is_date {
            return;
        }
        let date_parts: Vec<usize> = (0..self.tokens.len())
            .filter(|&at| match &self.tokens[at] {
                Token::Date(part) => !matches!(part, DatePart::HalfDay(_)),
                _ => false,
            })
            .collect();
        for (place, &at) in date_parts.iter().enumerate() {
            let Token::Date(DatePart::Month(letters)) = self.tokens[at] else { continue };
            let before = place.checked_sub(1).map(|place| &self.tokens[date_parts[place]]);
            let after = date_parts.get(place + 1).map(|&next| &self.tokens[next]);
            let after_hours =
                matches!(before, Some(Token::Date(DatePart::Hour(_) | DatePart::ElapsedHours(_))));
            let before_seconds =
                matches!(after, Some(Token::Date(DatePart::Second(_) | DatePart::ElapsedSeconds(_))));
            if letters <= 2 && (after_hours || before_seconds) {
                self.tokens[at] = Token::Date(DatePart::Minute(letters));
            }
        }
        let mut tokens = Vec::with_capacity(self.tokens.len());
        let mut rest = std::mem::take(&mut self.tokens).into_iter().peekable();
        while let Some(token) = rest.next() {
            match token {
                Token::Point if matches!(rest.peek(), Some(Token::Digit('0'))) => {
                    let mut places = 0;
                    while rest.next_if(|next| matches!(next, Token::Digit(_))).is_some() {
                        places += 1;
                    }
                    tokens.push(Token::Date(DatePart::Fraction(places)));
                }
                Token::Point => tokens.push(Token::Literal(".".to_owned())),
                Token::Comma => tokens.push(Token::Literal(",".to_owned())),
                Token::Slash => tokens.push(Token::Literal("/".to_owned())),
                Token::Digit(_) | Token::Percent | Token::Exponent(_) => {}
                other => tokens.push(other),
            }
        }
        self.tokens = tokens;
    }
}
