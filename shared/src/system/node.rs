//! Where users and roles sit: the fields of their forms that say so.

use uuid::Uuid;

use crate::codes::Code;
use crate::describe::{Field, Input};
use crate::problem::FieldError;
use crate::text::{Lang, t};
use crate::user::UserKind;

/// The kind of node.
pub const KIND: Field = Field::new("kind", t("用户类型", "Kind"), Input::Choice(UserKind::CHOICES)).required().fixed();
/// The provider, below the platform.
pub const PROVIDER: Field =
    Field::new("provider_id", t("服务商", "Provider"), Input::Lookup("system/providers")).fixed();
/// The property, below a provider.
pub const PROPERTY: Field = Field::new("property_id", t("集团物业", "Property"), Input::Lookup("system/properties"))
    .fixed()
    .within("provider_id");

/// What is wrong with a node: its kind decides which of the two it names.
pub fn errors(kind: UserKind, provider: Option<Uuid>, property: Option<Uuid>, lang: Lang) -> Vec<FieldError> {
    let (below_platform, below_provider) = match kind {
        UserKind::Platform => (false, false),
        UserKind::Provider => (true, false),
        UserKind::Property => (true, true),
    };
    let wrong = |name, named: bool, wanted: bool| match (named, wanted) {
        (false, true) => Some(FieldError::new(name, "required", t("必填", "Required").get(lang))),
        (true, false) => Some(FieldError::new(name, "choice", t("此类型不能选择", "Not for this kind").get(lang))),
        (true, true) | (false, false) => None,
    };
    let provider = wrong("provider_id", provider.is_some(), below_platform);
    let property = wrong("property_id", property.is_some(), below_provider);
    provider.into_iter().chain(property).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_decides_what_is_named() {
        let fields = |kind, provider: bool, property: bool| {
            let id = |named: bool| named.then(Uuid::nil);
            let errors = errors(kind, id(provider), id(property), Lang::En);
            errors.into_iter().map(|it| (it.field, it.code)).collect::<Vec<_>>()
        };
        let one = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
        assert_eq!(fields(UserKind::Platform, false, false), []);
        assert_eq!(fields(UserKind::Platform, true, false), one("provider_id", "choice"));
        assert_eq!(fields(UserKind::Provider, true, false), []);
        assert_eq!(fields(UserKind::Provider, false, false), one("provider_id", "required"));
        assert_eq!(fields(UserKind::Provider, true, true), one("property_id", "choice"));
        assert_eq!(fields(UserKind::Property, true, true), []);
        assert_eq!(fields(UserKind::Property, true, false), one("property_id", "required"));
    }
}
