//! The state of a list as a query string: what the address shows is what the server is asked.

/// Query parameters in order, each name once, none empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query string, with or without its question mark; of a repeated name the last counts.
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for pair in text.trim_start_matches('?').split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.set(&decode(name), &decode(value));
        }
        query
    }

    /// The value of a parameter, if there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// A parameter as a number of at least one.
    pub fn number(&self, name: &str, default: i64) -> i64 {
        self.get(name).and_then(|it| it.parse().ok()).filter(|it| *it >= 1).unwrap_or(default)
    }

    /// Sets a parameter; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) {
        if name.is_empty() || value.is_empty() {
            self.0.retain(|(it, _)| it != name);
        } else if let Some((_, old)) = self.0.iter_mut().find(|(it, _)| it == name) {
            value.clone_into(old);
        } else {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    /// The same with one parameter set.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Only the named parameters.
    pub fn only(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|(name, _)| keep(name));
        self
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All parameters.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A path with these parameters behind it.
    pub fn after(&self, path: &str) -> String {
        if self.is_empty() { path.to_owned() } else { format!("{path}?{self}") }
    }
}

impl std::fmt::Display for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let and = if index == 0 { "" } else { "&" };
            write!(f, "{and}{}={}", encode(name), encode(value))?;
        }
        Ok(())
    }
}

/// Percent-encodes all but unreserved characters.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Undoes percent-encoding and `+` for space; what is malformed stays as it is.
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = tail.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let escaped = escaped.and_then(|it| u8::from_str_radix(it, 16).ok());
        rest = match (*first, escaped) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                tail.get(2..).unwrap_or_default()
            }
            (b'+', _) => {
                bytes.push(b' ');
                tail
            }
            (byte, _) => {
                bytes.push(byte);
                tail
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Query, decode, encode};

    #[test]
    fn survives_the_address_bar() {
        let query = Query::default().with("name", "滨江 A&B=1").with("page", "3").with("none", "");
        let text = query.to_string();
        assert_eq!(text, "name=%E6%BB%A8%E6%B1%9F%20A%26B%3D1&page=3");
        assert_eq!(Query::parse(&format!("?{text}")), query);
        assert_eq!(query.after("/car/stations"), format!("/car/stations?{text}"));
        assert_eq!(Query::default().after("/x"), "/x");
    }

    #[test]
    fn reads_carelessly_written_addresses() {
        assert_eq!(decode("a+b%2"), "a b%2");
        assert_eq!(decode("%zz%E6"), "%zz\u{fffd}");
        assert_eq!(encode("a b"), "a%20b");
        let query = Query::parse("a=1&a=2&&=x&b");
        assert_eq!(query.get("a"), Some("2"));
        assert_eq!(query.get("b"), None);
        assert_eq!(query.iter().count(), 1);
    }

    #[test]
    fn numbers_have_a_floor() {
        let query = Query::parse("page=0&size=50&x=y");
        assert_eq!(query.number("page", 1), 1);
        assert_eq!(query.number("size", 20), 50);
        assert_eq!(query.number("x", 7), 7);
    }

    #[test]
    fn setting_replaces_and_removes() {
        let query = Query::parse("a=1&b=2").with("a", "3").with("b", "");
        assert_eq!(query.to_string(), "a=3");
        assert!(query.only(|name| name == "z").is_empty());
    }
}
