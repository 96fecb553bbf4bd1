//! What users may see and do, as a few lines of memory predict it. Nothing here asks the server.

use std::collections::BTreeSet;

use shared::permission::fits;
use shared::user::UserKind;

/// A set of permissions.
pub type Rights = BTreeSet<String>;

/// What is given in these worlds.
pub const GIVEN: &[&str] = &[
    "car.station.view",
    "car.station.update",
    "car.station.export",
    "car.charger.view",
    "member.collective.view",
    "system.user.view",
    "system.user.create",
    "system.user.enable",
    "system.user.disable",
    "system.user.delete",
    "system.user.bind-stations",
    "system.role.view",
    "system.role.create",
    "system.role.update",
    "system.role.enable",
    "system.role.disable",
    "system.role.delete",
    "system.role.assign",
    "system.role.revoke",
];

/// A node of the tree; providers and properties are known by their numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    pub kind: UserKind,
    pub provider: Option<usize>,
    pub property: Option<usize>,
}

impl Node {
    /// Whether the other is this node or below it. There is one collective.
    fn holds(self, other: Self) -> bool {
        match self.kind {
            UserKind::Platform => true,
            UserKind::Provider => other.provider == self.provider,
            UserKind::Property => other.property == self.property,
            UserKind::Collective => other.kind == UserKind::Collective,
        }
    }
}

/// A station, and the property that it stands at.
#[derive(Clone, Copy, Debug)]
pub struct Station {
    pub provider: usize,
    pub property: usize,
}

#[derive(Clone, Debug)]
pub struct Role {
    pub node: Node,
    pub rights: Rights,
    pub enabled: bool,
    pub there: bool,
}

#[derive(Clone, Debug)]
pub struct User {
    pub node: Node,
    pub roles: BTreeSet<usize>,
    /// Those that they are bound to.
    pub stations: BTreeSet<usize>,
    pub enabled: bool,
    pub there: bool,
}

/// The world.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub stations: Vec<Station>,
    pub roles: Vec<Role>,
    pub users: Vec<User>,
}

/// Something that a user tries.
#[derive(Clone, Debug)]
pub enum Deed {
    CreateRole { node: Node, rights: Rights },
    ChangeRole { role: usize, rights: Rights },
    SwitchRole { role: usize, on: bool },
    DeleteRole { role: usize },
    CreateUser { node: Node, roles: Vec<usize> },
    SwitchUser { user: usize, on: bool },
    DeleteUser { user: usize },
    Assign { role: usize, user: usize },
    Revoke { role: usize, user: usize },
    Bind { user: usize, stations: BTreeSet<usize> },
    WriteStation { station: usize },
}

/// What becomes of it: the status of the answer.
type Outcome = Result<(), u16>;

fn require(good: bool, otherwise: u16) -> Outcome {
    if good { Ok(()) } else { Err(otherwise) }
}

impl Model {
    /// What a user may do: the union over their enabled roles, as far as their kind may have it.
    pub fn rights(&self, user: usize) -> Rights {
        let user = &self.users[user];
        let roles = user.roles.iter().map(|it| &self.roles[*it]).filter(|it| it.enabled);
        roles.flat_map(|it| it.rights.iter().cloned()).filter(|it| fits(user.node.kind, it)).collect()
    }

    fn may(&self, user: usize, right: &str) -> bool {
        self.rights(user).contains(right)
    }

    /// Whether a node is the user's, or below it. Who is bound to stations sees nothing of a collective, which has none.
    pub fn reaches(&self, user: usize, node: Node) -> bool {
        let User { node: own, stations, .. } = &self.users[user];
        own.holds(node) && (stations.is_empty() || node.kind != UserKind::Collective)
    }

    /// The stations that a user sees.
    pub fn sees(&self, user: usize) -> BTreeSet<usize> {
        let User { node, stations, .. } = &self.users[user];
        let all = (0..self.stations.len()).filter(|it| self.stands_at(*node, *it));
        all.filter(|it| stations.is_empty() || stations.contains(it)).collect()
    }

    fn stands_at(&self, node: Node, station: usize) -> bool {
        let Station { provider, property } = self.stations[station];
        match node.kind {
            UserKind::Platform => true,
            UserKind::Provider => node.provider == Some(provider),
            UserKind::Property => node.property == Some(property),
            UserKind::Collective => false,
        }
    }

    /// Nobody touches what holds a right that they could have and lack.
    fn holds_all(&self, by: usize, rights: &Rights) -> Outcome {
        let (kind, own) = (self.users[by].node.kind, self.rights(by));
        require(rights.iter().all(|it| own.contains(it) || !fits(kind, it)), 403)
    }

    /// Nobody touches who may do or see more.
    fn is_over(&self, by: usize, user: usize) -> Outcome {
        if by == user {
            return Ok(());
        }
        let held = self.users[user].roles.iter().flat_map(|it| self.roles[*it].rights.iter().cloned()).collect();
        self.holds_all(by, &held)?;
        let (mine, theirs) = (&self.users[by].stations, &self.users[user].stations);
        require(mine.is_empty() || (!theirs.is_empty() && theirs.is_subset(mine)), 409)
    }

    /// The answer to a deed.
    pub fn predict(&self, by: usize, deed: &Deed) -> Outcome {
        let permission = match deed {
            Deed::CreateRole { .. } => "system.role.create",
            Deed::ChangeRole { .. } => "system.role.update",
            Deed::SwitchRole { on: true, .. } => "system.role.enable",
            Deed::SwitchRole { on: false, .. } => "system.role.disable",
            Deed::DeleteRole { .. } => "system.role.delete",
            Deed::CreateUser { .. } => "system.user.create",
            Deed::SwitchUser { on: true, .. } => "system.user.enable",
            Deed::SwitchUser { on: false, .. } => "system.user.disable",
            Deed::DeleteUser { .. } => "system.user.delete",
            Deed::Assign { .. } => "system.role.assign",
            Deed::Revoke { .. } => "system.role.revoke",
            Deed::Bind { .. } => "system.user.bind-stations",
            Deed::WriteStation { .. } => "car.station.update",
        };
        require(self.may(by, permission), 403)?;
        let sees_role = |role: usize| require(self.reaches(by, self.roles[role].node), 404);
        let sees_user = |user: usize, otherwise| require(self.reaches(by, self.users[user].node), otherwise);
        match deed {
            Deed::CreateRole { node, rights } => {
                require(!rights.is_empty() && rights.iter().all(|it| fits(node.kind, it)), 422)?;
                require(self.reaches(by, *node), 422)?;
                require(rights.is_subset(&self.rights(by)), 422)
            }
            Deed::ChangeRole { role, rights } => {
                let Role { node, rights: before, .. } = &self.roles[*role];
                require(!rights.is_empty() && rights.iter().all(|it| fits(node.kind, it)), 422)?;
                // Whoever sits lower has their own ids filled in, which do not fit the kind.
                require(self.users[by].node.kind <= node.kind, 422)?;
                sees_role(*role)?;
                self.holds_all(by, before)?;
                let own = self.rights(by);
                require(rights.iter().all(|it| own.contains(it) || before.contains(it)), 422)
            }
            Deed::SwitchRole { role, on } => {
                sees_role(*role)?;
                if self.roles[*role].enabled == *on { Ok(()) } else { self.holds_all(by, &self.roles[*role].rights) }
            }
            Deed::DeleteRole { role } => {
                sees_role(*role)?;
                self.holds_all(by, &self.roles[*role].rights)?;
                require(!self.users.iter().any(|it| it.there && it.roles.contains(role)), 409)
            }
            Deed::CreateUser { node, roles } => {
                require(self.reaches(by, *node), 422)?;
                let bound = !self.users[by].stations.is_empty();
                require(!bound || self.sees(by).iter().any(|it| self.stands_at(*node, *it)), 422)?;
                for role in roles.iter().map(|it| &self.roles[*it]) {
                    require(role.node == *node && role.enabled, 422)?;
                    self.holds_all(by, &role.rights)?;
                }
                Ok(())
            }
            Deed::SwitchUser { user, on } => {
                sees_user(*user, 404)?;
                if self.users[*user].enabled == *on {
                    return Ok(());
                }
                require(by != *user, 409)?;
                self.is_over(by, *user)
            }
            Deed::DeleteUser { user } => {
                sees_user(*user, 404)?;
                require(by != *user, 409)?;
                self.is_over(by, *user)
            }
            Deed::Assign { role, user } | Deed::Revoke { role, user } => {
                sees_role(*role)?;
                sees_user(*user, 422)?;
                require(self.roles[*role].node == self.users[*user].node, 422)?;
                self.is_over(by, *user)?;
                if matches!(deed, Deed::Revoke { .. }) || self.users[*user].roles.contains(role) {
                    return Ok(());
                }
                require(self.roles[*role].enabled, 422)?;
                self.holds_all(by, &self.roles[*role].rights)
            }
            Deed::Bind { user, stations } => {
                sees_user(*user, 404)?;
                self.is_over(by, *user)?;
                let (mine, node) = (self.sees(by), self.users[*user].node);
                require(stations.iter().all(|it| mine.contains(it) && self.stands_at(node, *it)), 422)?;
                require(self.users[by].stations.is_empty() || !stations.is_empty(), 422)
            }
            Deed::WriteStation { station } => require(self.sees(by).contains(station), 404),
        }
    }

    /// The world after a deed that was done.
    pub fn apply(&mut self, by: usize, deed: &Deed) {
        match deed.clone() {
            Deed::CreateRole { node, rights } => self.roles.push(Role { node, rights, enabled: true, there: true }),
            Deed::ChangeRole { role, rights } => self.roles[role].rights = rights,
            Deed::SwitchRole { role, on } => self.roles[role].enabled = on,
            Deed::DeleteRole { role } => self.roles[role].there = false,
            Deed::CreateUser { node, roles } => {
                let bound = !self.users[by].stations.is_empty();
                let inherited = self.sees(by).into_iter().filter(|it| bound && self.stands_at(node, *it)).collect();
                let roles = roles.into_iter().collect();
                self.users.push(User { node, roles, stations: inherited, enabled: true, there: true });
            }
            Deed::SwitchUser { user, on } => self.users[user].enabled = on,
            Deed::DeleteUser { user } => self.users[user].there = false,
            Deed::Assign { role, user } => drop(self.users[user].roles.insert(role)),
            Deed::Revoke { role, user } => drop(self.users[user].roles.remove(&role)),
            Deed::Bind { user, stations } => self.users[user].stations = stations,
            Deed::WriteStation { .. } => {}
        }
    }
}
