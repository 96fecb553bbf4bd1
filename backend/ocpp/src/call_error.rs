//! Why a call is refused, in the protocol's own codes.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::word::words;

/// The longest description that a CALLERROR may carry.
const MAX_DESCRIPTION: usize = 255;

words! {
    /// The code of a CALLERROR: written as in 1.6, read in the spellings of 2.x too.
    open ErrorCode {
        NotImplemented,
        NotSupported,
        InternalError,
        ProtocolError = "ProtocolError" | "MessageTypeNotSupported" | "RpcFrameworkError",
        SecurityError,
        FormationViolation = "FormationViolation" | "FormatViolation",
        PropertyConstraintViolation,
        OccurenceConstraintViolation = "OccurenceConstraintViolation" | "OccurrenceConstraintViolation",
        TypeConstraintViolation,
        GenericError,
    }
}

/// The refusal of a call, or of an answer that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// What kind of mistake it is.
    pub code: ErrorCode,
    /// What is wrong, for the person who reads the charger's log; at most 255 characters.
    pub description: String,
}

impl CallError {
    /// A refusal; a description that is too long is cut.
    pub fn new(code: ErrorCode, description: impl AsRef<str>) -> Self {
        Self { code, description: description.as_ref().chars().take(MAX_DESCRIPTION).collect() }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, description } = self;
        write!(f, "{code}: {description}")
    }
}

impl std::error::Error for CallError {}

/// A mistake inside a payload and the path to it, which grows while the reader returns through the levels.
#[derive(Debug)]
pub(crate) struct Mistake {
    code: ErrorCode,
    path: String,
    what: String,
}

impl Mistake {
    fn new(code: ErrorCode, what: String) -> Self {
        Self { code, path: String::new(), what }
    }

    /// The same mistake, seen from the object that holds it under this name.
    pub(crate) fn under(mut self, name: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{separator}{}", self.path);
        self
    }
}

impl From<Mistake> for CallError {
    fn from(Mistake { code, path, what }: Mistake) -> Self {
        Self::new(code, if path.is_empty() { what } else { format!("{path}: {what}") })
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self::new(ErrorCode::PropertyConstraintViolation, what.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(ErrorCode::TypeConstraintViolation, format!("expected {expected}, found {found}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(ErrorCode::OccurenceConstraintViolation, "required".to_owned()).under(field)
    }
}
