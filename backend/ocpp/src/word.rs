//! The protocol's closed and open word lists as enums.

/// Declares an enum of words that are written exactly and read in any letter case.
///
/// A variant's word is its own name unless one is given after `=`; further spellings that are only read follow after
/// `|`. With `open` in front of the name, a word outside the list is kept as `Other`; without it, it is refused.
macro_rules! words {
    ($(#[$doc:meta])* open $name:ident { $($variant:ident $(= $word:literal $(| $alias:literal)*)?),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the words are the specification's own")]
        pub enum $name {
            $($variant,)+
            /// Any other word, as the sender wrote it; also the word `Other`, where the specification has it.
            Other(String),
        }

        impl $name {
            /// The word as it is written on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $crate::word::word!($variant $($word)?),)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $crate::word::known!(text: $($variant $(= $word $(| $alias)*)?),+)
                    .unwrap_or_else(|| Self::Other(text.to_owned()))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(|text| Self::from(text.as_str()))
            }
        }

        $crate::word::written!($name);
    };
    ($(#[$doc:meta])* $name:ident { $($variant:ident $(= $word:literal $(| $alias:literal)*)?),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the words are the specification's own")]
        pub enum $name {
            $($variant,)+
        }

        impl $name {
            /// The word as it is written on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $crate::word::word!($variant $($word)?),)+
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                const WORDS: &[&str] = &[$($crate::word::word!($variant $($word)?)),+];
                let text = String::deserialize(deserializer)?;
                $crate::word::known!(text: $($variant $(= $word $(| $alias)*)?),+)
                    .ok_or_else(|| serde::de::Error::unknown_variant(&text, WORDS))
            }
        }

        $crate::word::written!($name);
    };
}

/// The word of one variant: the given one, else the variant's name.
macro_rules! word {
    ($variant:ident) => {
        stringify!($variant)
    };
    ($variant:ident $word:literal) => {
        $word
    };
}

/// The variant whose word or other spelling the text is, in any letter case.
macro_rules! known {
    ($text:ident: $($variant:ident $(= $word:literal $(| $alias:literal)*)?),+) => {
        $(if $text.eq_ignore_ascii_case($crate::word::word!($variant $($word)?))
            $($(|| $text.eq_ignore_ascii_case($alias))*)?
        {
            Some(Self::$variant)
        } else)+ {
            None
        }
    };
}

/// Writes the word as a string, in JSON and for people.
macro_rules! written {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use {known, word, words, written};
