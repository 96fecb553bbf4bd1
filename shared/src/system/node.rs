//! Where users, roles, departments and posts sit: a node of the tree of tenants, and the fields that say which.

use uuid::Uuid;

use crate::codes::Code;
use crate::describe::{Field, Input};
use crate::problem::FieldError;
use crate::text::{Lang, t};
use crate::user::UserKind;

/// Where something sits, as rows and forms say it: the kind of node, and all that it is below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The kind of node.
    pub kind: UserKind,
    /// The provider, below the platform.
    pub provider: Option<Uuid>,
    /// The property, below a provider.
    pub property: Option<Uuid>,
    /// The collective, below a property.
    pub collective: Option<Uuid>,
}

/// The kind of node.
pub const KIND: Field = Field::new("kind", t("用户类型", "Kind"), Input::Choice(UserKind::CHOICES)).required().fixed();
/// The provider, below the platform.
pub const PROVIDER: Field = OF_PROVIDER.fixed().only(KIND.name, &["provider", "property", "collective"]);
/// The property, below a provider.
pub const PROPERTY: Field = OF_PROPERTY.fixed().only(KIND.name, &["property", "collective"]);
/// The collective, below a property.
pub const COLLECTIVE: Field = OF_COLLECTIVE.fixed().only(KIND.name, &["collective"]);

/// Searches below a provider.
pub const OF_PROVIDER: Field = Field::new("provider_id", t("服务商", "Provider"), Input::Lookup("system/providers"));
/// Searches below a property.
pub const OF_PROPERTY: Field =
    Field::new("property_id", t("集团物业", "Property"), Input::Lookup("system/properties")).within("provider_id");
/// Searches at a collective.
pub const OF_COLLECTIVE: Field =
    Field::new("collective_id", t("集体户", "Collective"), Input::Lookup("members/collectives")).within("property_id");

/// Offers only rows of the node that the form names.
pub const fn at_node(field: Field) -> Field {
    field.within("kind").within("provider_id").within("property_id").within("collective_id")
}

impl Seat {
    /// What is wrong with it: the kind decides which ids it names.
    pub fn errors(self, lang: Lang) -> Vec<FieldError> {
        let depth = match self.kind {
            UserKind::Platform => 0,
            UserKind::Provider => 1,
            UserKind::Property => 2,
            UserKind::Collective => 3,
        };
        let named =
            [("provider_id", self.provider), ("property_id", self.property), ("collective_id", self.collective)];
        let wrong = |(level, (name, id)): (i32, (&str, Option<Uuid>))| match (id.is_some(), level <= depth) {
            (false, true) => Some(FieldError::new(name, "required", t("必填", "Required").get(lang))),
            (true, false) => Some(FieldError::new(name, "choice", t("此类型不能选择", "Not for this kind").get(lang))),
            (true, true) | (false, false) => None,
        };
        (1..).zip(named).filter_map(wrong).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_decides_what_is_named() {
        let fields = |kind, named: usize| {
            let id = |level: usize| (level <= named).then(Uuid::nil);
            let seat = Seat { kind, provider: id(1), property: id(2), collective: id(3) };
            seat.errors(Lang::En).into_iter().map(|it| (it.field, it.code)).collect::<Vec<_>>()
        };
        let one = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
        for (kind, named) in UserKind::ALL.into_iter().zip(0..) {
            assert_eq!(fields(kind, named), [], "{kind}");
        }
        assert_eq!(fields(UserKind::Platform, 1), one("provider_id", "choice"));
        assert_eq!(fields(UserKind::Provider, 0), one("provider_id", "required"));
        assert_eq!(fields(UserKind::Provider, 2), one("property_id", "choice"));
        assert_eq!(fields(UserKind::Property, 1), one("property_id", "required"));
        assert_eq!(fields(UserKind::Collective, 2), one("collective_id", "required"));
        assert_eq!(fields(UserKind::Property, 3), one("collective_id", "choice"));
    }
}
