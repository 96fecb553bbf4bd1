//! The two languages of every text that a person reads, side by side.

/// A language that the platform speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// Chinese, the default.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Reads an `Accept-Language` header: the first language that we speak wins, Chinese if none.
    pub fn from_accept_language(header: &str) -> Self {
        for part in header.split(',') {
            let tag = part.trim().get(..2).unwrap_or_default();
            if tag.eq_ignore_ascii_case("zh") {
                return Self::Zh;
            }
            if tag.eq_ignore_ascii_case("en") {
                return Self::En;
            }
        }
        Self::Zh
    }

    /// The BCP 47 tag: what goes into `lang` attributes and `Accept-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }
}

/// One text in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// Makes a [`Text`]: `t("电站", "Station")`.
pub const fn t(zh: &'static str, en: &'static str) -> Text {
    Text { zh, en }
}

impl Text {
    /// The text in one language.
    pub const fn get(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Zh => self.zh,
            Lang::En => self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lang;

    #[test]
    fn reads_accept_language() {
        assert_eq!(Lang::from_accept_language(""), Lang::Zh);
        assert_eq!(Lang::from_accept_language("en-US,en;q=0.9,zh;q=0.8"), Lang::En);
        assert_eq!(Lang::from_accept_language("fr, zh-CN;q=0.9, en;q=0.8"), Lang::Zh);
        assert_eq!(Lang::from_accept_language("日"), Lang::Zh);
    }
}
