//! What a caller may see. Every query of a tenant's table starts from it.

use diesel::dsl;
use diesel::expression::Expression;
use diesel::expression_methods::ExpressionMethods;
use diesel::query_dsl::methods::FilterDsl;
use diesel::sql_types::{Nullable, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use shared::system::node::Seat;
use shared::user::UserKind;
use uuid::Uuid;

/// The node that a user sits at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// Everything.
    Platform,
    /// One provider and all below it. Sub-merchants are not below it: each is a provider of its own.
    Provider(Uuid),
    /// One property (of a provider) and all below it.
    Property {
        /// Its provider.
        provider: Uuid,
        /// The property.
        property: Uuid,
    },
    /// One collective (of a property). No station is below it.
    Collective {
        /// Its provider.
        provider: Uuid,
        /// Its property.
        property: Uuid,
        /// The collective.
        collective: Uuid,
    },
}

/// A node's subtree, narrowed to the stations bound to the user when any are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The node.
    pub node: Node,
    /// The only stations that count, when the user is bound to some.
    pub stations: Option<Vec<Uuid>>,
}

/// Whose a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The provider.
    pub provider_id: Uuid,
    /// The property.
    pub property_id: Uuid,
    /// The station.
    pub station_id: Uuid,
}

impl Node {
    /// The node that a row or a checked form names; `None` when the ids do not fit the kind.
    pub fn of(seat: Seat) -> Option<Self> {
        let Seat { kind, provider, property, collective } = seat;
        match (kind, provider, property, collective) {
            (UserKind::Platform, None, None, None) => Some(Self::Platform),
            (UserKind::Provider, Some(provider), None, None) => Some(Self::Provider(provider)),
            (UserKind::Property, Some(provider), Some(property), None) => Some(Self::Property { provider, property }),
            (UserKind::Collective, Some(provider), Some(property), Some(collective)) => {
                Some(Self::Collective { provider, property, collective })
            }
            _ => None,
        }
    }

    /// As rows say it.
    pub const fn seat(self) -> Seat {
        Seat { kind: self.kind(), provider: self.provider(), property: self.property(), collective: self.collective() }
    }

    /// The kind of users that sit here.
    pub const fn kind(self) -> UserKind {
        match self {
            Self::Platform => UserKind::Platform,
            Self::Provider(_) => UserKind::Provider,
            Self::Property { .. } => UserKind::Property,
            Self::Collective { .. } => UserKind::Collective,
        }
    }

    /// The provider, property or collective that it is; the platform has no id.
    pub const fn id(self) -> Option<Uuid> {
        match self {
            Self::Platform => None,
            Self::Provider(id) | Self::Property { property: id, .. } | Self::Collective { collective: id, .. } => {
                Some(id)
            }
        }
    }

    /// Its provider, if it is below one.
    pub const fn provider(self) -> Option<Uuid> {
        match self {
            Self::Platform => None,
            Self::Provider(provider) | Self::Property { provider, .. } | Self::Collective { provider, .. } => {
                Some(provider)
            }
        }
    }

    /// Its property, if it is one or below one.
    pub const fn property(self) -> Option<Uuid> {
        match self {
            Self::Platform | Self::Provider(_) => None,
            Self::Property { property, .. } | Self::Collective { property, .. } => Some(property),
        }
    }

    /// Its collective, if it is one.
    pub const fn collective(self) -> Option<Uuid> {
        match self {
            Self::Platform | Self::Provider(_) | Self::Property { .. } => None,
            Self::Collective { collective, .. } => Some(collective),
        }
    }
}

impl Scope {
    /// Everything: jobs and the platform's unbound users.
    pub const ALL: Self = Self { node: Node::Platform, stations: None };

    /// Leaves only the rows in scope of a table that names provider, property and station.
    pub fn narrow<Q, P, R, S>(&self, query: Q, provider: P, property: R, station: S) -> Q
    where
        P: ExpressionMethods + Expression<SqlType = SqlUuid>,
        R: ExpressionMethods + Expression<SqlType = SqlUuid>,
        S: ExpressionMethods + Expression<SqlType = SqlUuid>,
        Q: FilterDsl<dsl::Eq<P, Uuid>, Output = Q>
            + FilterDsl<dsl::Eq<R, Uuid>, Output = Q>
            + FilterDsl<dsl::EqAny<S, Vec<Uuid>>, Output = Q>,
    {
        let query = match self.node {
            Node::Platform => query,
            Node::Provider(id) => FilterDsl::<dsl::Eq<P, Uuid>>::filter(query, provider.eq(id)),
            Node::Property { property: id, .. } => FilterDsl::<dsl::Eq<R, Uuid>>::filter(query, property.eq(id)),
            // What stands at a station is no collective's.
            Node::Collective { .. } => FilterDsl::<dsl::Eq<R, Uuid>>::filter(query, property.eq(Uuid::nil())),
        };
        match &self.stations {
            None => query,
            Some(ids) => FilterDsl::<dsl::EqAny<S, Vec<Uuid>>>::filter(query, station.eq_any(ids.clone())),
        }
    }

    /// Leaves only the rows at the node or below it, of a table whose rows sit at nodes: users, roles, what they did.
    /// Such rows have no station, so it is the caller who must mind a narrowed scope; but who is bound to stations sees
    /// no collective, and nothing that sits at one.
    pub fn narrow_to_node<Q, P, R, C>(&self, query: Q, provider: P, property: R, collective: C) -> Q
    where
        P: ExpressionMethods + Expression<SqlType = Nullable<SqlUuid>>,
        R: ExpressionMethods + Expression<SqlType = Nullable<SqlUuid>>,
        C: ExpressionMethods + Expression<SqlType = Nullable<SqlUuid>> + Clone,
        Q: FilterDsl<dsl::Eq<P, Uuid>, Output = Q>
            + FilterDsl<dsl::Eq<R, Uuid>, Output = Q>
            + FilterDsl<dsl::Eq<C, Uuid>, Output = Q>
            + FilterDsl<dsl::IsNull<C>, Output = Q>,
    {
        let query = match self.stations {
            None => query,
            Some(_) => FilterDsl::<dsl::IsNull<C>>::filter(query, collective.clone().is_null()),
        };
        match self.node {
            Node::Platform => query,
            Node::Provider(id) => FilterDsl::<dsl::Eq<P, Uuid>>::filter(query, provider.eq(id)),
            Node::Property { property: id, .. } => FilterDsl::<dsl::Eq<R, Uuid>>::filter(query, property.eq(id)),
            Node::Collective { collective: id, .. } => FilterDsl::<dsl::Eq<C, Uuid>>::filter(query, collective.eq(id)),
        }
    }

    /// Whether a thing of this owner is in scope.
    pub fn sees(&self, owner: &Owner) -> bool {
        let at_node = match self.node {
            Node::Platform => true,
            Node::Provider(id) => owner.provider_id == id,
            Node::Property { property, .. } => owner.property_id == property,
            Node::Collective { .. } => false,
        };
        at_node && self.stations.as_ref().is_none_or(|it| it.contains(&owner.station_id))
    }
}
