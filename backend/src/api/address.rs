//! What an operation takes from its address, by the same description that the document shows: whatever else is asked for
//! is refused, so that a misspelt condition does not show everything.

use std::collections::HashSet;
use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use shared::problem::FieldError;
use shared::text::{Lang, Text, t};
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::request::lang;
use crate::error::{Error, Result};

/// No text may hold U+0000: PostgreSQL cannot keep it.
pub const NUL: Text = t("含有空字符 U+0000", "Contains the character U+0000");

/// More errors than this nobody reads; an address has room for thousands.
const MAX_ERRORS: usize = 20;

/// The query parameters that an operation knows.
#[derive(Clone)]
pub struct Known(Rc<[(String, bool)]>);

impl Known {
    /// Those of its description, and which of them are required.
    pub fn of(params: &[Parameter]) -> Self {
        let query = params.iter().filter(|it| it.parameter_in == ParameterIn::Query);
        Self(query.map(|it| (it.name.clone(), it.required == Required::True)).collect())
    }

    /// All that is wrong with a query string before its values are read. Empty values count as absent.
    fn wrong(&self, query: &str, lang: Lang) -> Vec<FieldError> {
        let error = |name: &str, code, text: Text| FieldError::new(name, code, text.get(lang));
        let mut errors = vec![];
        let (mut said, mut filled) = (HashSet::new(), HashSet::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if !self.0.iter().any(|it| it.0 == name) {
                errors.push(error(&name, "unknown", t("没有这个参数", "There is no such parameter")));
            } else if !said.insert(name.to_string()) {
                errors.push(error(&name, "repeated", t("只能填写一次", "Only once")));
            } else if !value.is_empty() {
                filled.insert(name.into_owned());
            }
        }
        let missing = self.0.iter().filter(|(name, required)| *required && !filled.contains(name));
        errors.extend(missing.map(|(name, _)| error(name, "required", t("必填", "Required"))));
        errors
    }
}

/// Lets only requests through whose address the operation knows.
pub async fn check(known: Known, req: ServiceRequest, next: Next<BoxBody>) -> actix_web::Result<ServiceResponse> {
    refuse(&known, &req)?;
    next.call(req).await
}

fn refuse(known: &Known, req: &ServiceRequest) -> Result<()> {
    let lang = lang(req.request());
    let within = req.match_info().iter().filter(|(_, value)| value.contains('\0'));
    let mut errors: Vec<_> = within.map(|(name, _)| FieldError::new(name, "format", NUL.get(lang))).collect();
    errors.extend(known.wrong(req.query_string(), lang));
    errors.truncate(MAX_ERRORS);
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_named() {
        let known = Known([("lng", true), ("lat", true), ("q", false)].map(|(it, must)| (it.to_owned(), must)).into());
        let wrong = |query| {
            let found = known.wrong(query, Lang::En).into_iter();
            found.map(|it| format!("{} {}", it.field, it.code)).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(wrong("lng=1&lat=2&q=%E7%AB%99"), "");
        assert_eq!(wrong(""), "lng required, lat required");
        assert_eq!(wrong("lng=&lat=2"), "lng required");
        assert_eq!(wrong("lng=1&lat=2&l%61t=3&Q=x&colour"), "lat repeated, Q unknown, colour unknown");
    }
}
