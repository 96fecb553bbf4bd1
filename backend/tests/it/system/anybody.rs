//! Random worlds and random deeds: what the server answers is what a model in memory predicts, for lists, rows, sheets,
//! changes, bindings and open streams of events alike.

use std::collections::BTreeSet;

use backend::auth::scope::Owner;
use backend::auth::session::{self, Place, Subject};
use backend::events::Kind;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use schema::stations;
use shared::permission::fits;

use super::model::{Deed, GIVEN, Model, Node, Rights, Role, Station, User};
use super::*;
use crate::events::{Stream, happen, listening};

/// Numbers from which a deed is made; which rows they mean depends on what is there.
#[derive(Clone, Debug)]
struct Seed {
    deed: u8,
    by: u8,
    one: u8,
    other: u8,
    bits: u32,
    on: bool,
}

/// The rights of some helpers who are there from the beginning, and what is tried.
fn seeds() -> impl Strategy<Value = ([u32; 6], Vec<Seed>)> {
    let seed = (0_u8..24, any::<u8>(), any::<u8>(), any::<u8>(), any::<u32>(), any::<bool>());
    let seed = seed.prop_map(|(deed, by, one, other, bits, on)| Seed { deed, by, one, other, bits, on });
    (any::<[u32; 6]>(), vec(seed, 30))
}

/// Most of what can be given, so that much is allowed; the lowest bit leaves all of it.
fn rights(bits: u32) -> Rights {
    let chosen = |at: usize| bits & 1 == 0 || (bits >> (at + 1)) & 1 == 0 || (bits >> (at + 9)) & 1 == 0;
    GIVEN.iter().enumerate().filter(|(at, _)| chosen(*at)).map(|(_, it)| (*it).to_owned()).collect()
}

/// The server, and what the model's numbers mean there.
struct World {
    app: TestApp,
    model: Model,
    nodes: Vec<Node>,
    providers: Vec<Uuid>,
    properties: Vec<Uuid>,
    collective: Uuid,
    stations: Vec<(Uuid, String)>,
    roles: Vec<Uuid>,
    users: Vec<Uuid>,
    sessions: Vec<Option<(Client, Stream)>>,
}

impl World {
    /// Two providers with three properties, four stations and a collective; the administrator, those who have all rights
    /// at a provider or property, and helpers who have some.
    async fn new(helpers: &[u32]) -> Self {
        let app = TestApp::new().await;
        listening(&app).await;
        let tenants = [app.tenant().await, app.tenant().await];
        let form = json!({"name": "第三物业", "contact": "李蕾", "phone": phone(&app)});
        let third = tenants[0].boss.post(PROPERTIES, form).await.id();
        let collective = collective(&app, &tenants[0]).await;
        let properties = vec![tenants[0].property, third, tenants[1].property];
        let of = [0, 0, 1];
        let mut model = Model::default();
        let mut stations = vec![];
        for property in [0, 0, 1, 2] {
            let provider: usize = of[property];
            let at = Tenant {
                provider: tenants[provider].provider,
                property: properties[property],
                boss: tenants[provider].boss.clone(),
                keeper: tenants[provider].keeper.clone(),
            };
            let id = app.site(&at).await.station;
            let name = app.admin.get(&format!("/api/v1/car/stations/{id}")).await.ok()["name"].clone();
            stations.push((id, text(&name).to_owned()));
            model.stations.push(Station { provider, property });
        }
        let node = |kind, provider, property| Node { kind, provider, property };
        let mut nodes = vec![node(UserKind::Platform, None, None)];
        nodes.extend([0, 1].map(|it| node(UserKind::Provider, Some(it), None)));
        nodes.extend([0, 1, 2].map(|it| node(UserKind::Property, Some(of[it]), Some(it))));
        nodes.push(node(UserKind::Collective, Some(0), Some(0)));
        let mut world = Self {
            providers: tenants.iter().map(|it| it.provider).collect(),
            properties,
            collective,
            stations,
            nodes,
            roles: vec![],
            users: vec![],
            sessions: vec![],
            app,
            model,
        };
        let everybody = [
            (me(&world.app.admin).await, 0),
            (me(&tenants[0].boss).await, 1),
            (me(&tenants[0].keeper).await, 3),
            (me(&tenants[1].boss).await, 2),
            (me(&tenants[1].keeper).await, 5),
        ];
        for (id, at) in everybody {
            world.known(id, world.nodes[at]).await;
        }
        for (bits, at) in helpers.iter().zip([0, 1, 1, 3, 3, 5]) {
            let node = world.nodes[at];
            let rights: Vec<String> = rights(*bits).into_iter().filter(|it| fits(node.kind, it)).collect();
            let rights: Vec<&str> = rights.iter().map(String::as_str).collect();
            let (provider, property) =
                (node.provider.map(|it| world.providers[it]), node.property.map(|it| world.properties[it]));
            let (id, _) = world.app.user_named(node.kind, provider, property, Some(&rights)).await;
            world.known(id, node).await;
        }
        world
    }

    /// Takes a user who is there, with their one role, into the model.
    async fn known(&mut self, id: Uuid, node: Node) {
        let row = self.app.admin.get(&format!("{USERS}/{id}")).await.ok();
        let role: Uuid = text(&row["role_ids"][0]).parse().unwrap();
        let held = self.app.admin.get(&format!("{ROLES}/{role}")).await.ok()["permissions"].clone();
        let rights = held.as_array().unwrap().iter().map(|it| text(it).to_owned()).collect();
        self.model.roles.push(Role { node, rights, enabled: true, there: true });
        self.roles.push(role);
        let roles = BTreeSet::from([self.roles.len() - 1]);
        self.model.users.push(User { node, roles, stations: BTreeSet::new(), enabled: true, there: true });
        self.users.push(id);
        let session = self.log_in(id).await;
        self.sessions.push(Some(session));
    }

    /// A session with a stream of events that stays open.
    async fn log_in(&self, user: Uuid) -> (Client, Stream) {
        let mut conn = self.app.conn().await;
        let free = diesel::update(users::table.find(user)).set(users::must_change_password.eq(false));
        free.execute(&mut conn).await.unwrap();
        let place = Place { ip: "127.0.0.1".to_owned(), agent: "test".to_owned() };
        let pair = session::start(&mut conn, &self.app.app, Subject::User(user), &place).await.unwrap();
        let client = self.app.bearer(&pair.access);
        let stream = Stream::open(&client, "/api/v1/events").await;
        (client, stream)
    }

    fn form_at(&self, node: Node) -> Value {
        let collective = (node.kind == UserKind::Collective).then_some(self.collective);
        json!({
            "kind": node.kind,
            "provider_id": node.provider.map(|it| self.providers[it]),
            "property_id": node.property.map(|it| self.properties[it]),
            "collective_id": collective,
        })
    }

    /// The deed that some numbers mean now, and who does it. The administrator and their role are left alone.
    fn deed(&self, seed: &Seed) -> Option<(usize, Deed)> {
        let pick = |of: Vec<usize>, at: u8| (!of.is_empty()).then(|| of[usize::from(at) % of.len()]);
        let live = (0..self.users.len()).filter(|it| self.model.users[*it].there && self.model.users[*it].enabled);
        let by = pick(live.collect(), seed.by)?;
        // Three times of four it is somebody or something within their reach.
        let near = |node: Node| seed.bits >> 30 == 0 || self.model.reaches(by, node);
        let users = (1..self.users.len()).filter(|it| self.model.users[*it].there && near(self.model.users[*it].node));
        let roles = (1..self.roles.len()).filter(|it| self.model.roles[*it].there && near(self.model.roles[*it].node));
        let (users, roles): (Vec<_>, Vec<_>) = (users.collect(), roles.collect());
        let (a_user, a_role) = (|at| pick(users.clone(), at), |at| pick(roles.clone(), at));
        let (one, other, rights) = (seed.one, seed.other, rights(seed.bits));
        let nodes: Vec<Node> = self.nodes.iter().copied().filter(|it| near(*it)).collect();
        let node = nodes[usize::from(one) % nodes.len()];
        let stations = (0..self.stations.len()).filter(|at| (seed.bits >> at) & 1 == 1).collect();
        let fitting = |node: Node| {
            let fits = |it: &usize| self.model.roles[*it].there && (self.model.roles[*it].node == node || seed.on);
            pick((1..self.roles.len()).filter(fits).collect(), other)
        };
        let deed = match seed.deed {
            0..=2 => Deed::CreateRole { node, rights },
            3 | 4 => Deed::ChangeRole { role: a_role(one)?, rights },
            5 | 6 => Deed::SwitchRole { role: a_role(one)?, on: seed.on },
            7 => Deed::DeleteRole { role: a_role(one)? },
            8..=10 => Deed::CreateUser { node, roles: fitting(node).into_iter().collect() },
            11 | 12 => Deed::SwitchUser { user: a_user(one)?, on: seed.on },
            13 => Deed::DeleteUser { user: a_user(one)? },
            14..=16 => {
                let user = a_user(one)?;
                Deed::Assign { role: fitting(self.model.users[user].node)?, user }
            }
            17 => Deed::Revoke { role: a_role(other)?, user: a_user(one)? },
            18..=20 => Deed::Bind { user: a_user(one)?, stations },
            _ => Deed::WriteStation { station: usize::from(one) % self.stations.len() },
        };
        Some((by, deed))
    }

    async fn version(&self, path: &str) -> Value {
        self.app.admin.get(path).await.ok()["version"].clone()
    }

    async fn send(&mut self, by: usize, deed: &Deed) -> crate::app::Answer {
        let client = self.sessions[by].as_ref().unwrap().0.clone();
        let name = format!("名{}", self.app.next());
        match deed {
            Deed::CreateRole { node, rights } => {
                let mut form = self.form_at(*node);
                (form["name"], form["permissions"]) = (json!(name), json!(rights));
                client.post(ROLES, form).await
            }
            Deed::ChangeRole { role, rights } => {
                let path = format!("{ROLES}/{}", self.roles[*role]);
                let mut form = self.form_at(self.model.roles[*role].node);
                (form["name"], form["permissions"]) = (json!(name), json!(rights));
                form["version"] = self.version(&path).await;
                client.put(&path, form).await
            }
            Deed::SwitchRole { role, on } => {
                let verb = if *on { "enable" } else { "disable" };
                client.post(&format!("{ROLES}/{}/{verb}", self.roles[*role]), json!({})).await
            }
            Deed::DeleteRole { role } => client.delete(&format!("{ROLES}/{}", self.roles[*role])).await,
            Deed::CreateUser { node, roles } => {
                let mut form = self.form_at(*node);
                let roles: Vec<Uuid> = roles.iter().map(|it| self.roles[*it]).collect();
                (form["name"], form["username"]) = (json!(name), json!(format!("made{}", self.app.next())));
                (form["role_ids"], form["password"]) = (json!(roles), json!("a password to begin with"));
                client.post(USERS, form).await
            }
            Deed::SwitchUser { user, on } => {
                let verb = if *on { "enable" } else { "disable" };
                client.post(&format!("{USERS}/{}/{verb}", self.users[*user]), json!({})).await
            }
            Deed::DeleteUser { user } => client.delete(&format!("{USERS}/{}", self.users[*user])).await,
            Deed::Assign { role, user } | Deed::Revoke { role, user } => {
                let verb = if matches!(deed, Deed::Assign { .. }) { "assign" } else { "revoke" };
                let body = json!({"user_ids": [self.users[*user]]});
                client.post(&format!("{ROLES}/{}/{verb}", self.roles[*role]), body).await
            }
            Deed::Bind { user, stations } => {
                let ids: Vec<Uuid> = stations.iter().map(|it| self.stations[*it].0).collect();
                bind(&client, self.users[*user], &ids).await
            }
            Deed::WriteStation { station } => {
                let path = format!("/api/v1/car/stations/{}", self.stations[*station].0);
                let Station { provider, property } = self.model.stations[*station];
                let form = json!({
                    "provider_id": self.providers[provider], "property_id": self.properties[property],
                    "name": name, "nature": "public", "version": self.version(&path).await,
                });
                let answer = client.put(&path, form).await;
                if answer.status == 200 {
                    self.stations[*station].1 = name;
                }
                answer
            }
        }
    }

    /// Does it, compares the answer with the prediction, and keeps what follows from it.
    async fn attempt(&mut self, by: usize, deed: Deed) -> Result<bool, TestCaseError> {
        let predicted = self.model.predict(by, &deed);
        let answer = self.send(by, &deed).await;
        let status = if answer.status < 300 { Ok(()) } else { Err(answer.status) };
        prop_assert_eq!(status, predicted, "{:?} by {} of {:?}: {}", deed, by, self.model, answer.json);
        if predicted.is_err() {
            return Ok(false);
        }
        self.model.apply(by, &deed);
        match &deed {
            Deed::CreateRole { .. } => self.roles.push(answer.id()),
            Deed::CreateUser { .. } => {
                self.users.push(answer.id());
                let session = self.log_in(answer.id()).await;
                self.sessions.push(Some(session));
            }
            Deed::SwitchUser { user, on: true } if self.sessions[*user].is_none() => {
                self.sessions[*user] = Some(self.log_in(self.users[*user]).await);
            }
            Deed::SwitchUser { user, on: false } | Deed::DeleteUser { user } => {
                if let Some((client, mut stream)) = self.sessions[*user].take() {
                    prop_assert_eq!(stream.next().await, None, "a stream ends with its session");
                    prop_assert_eq!(client.get("/api/v1/auth/me").await.status, 401);
                }
            }
            _ => {}
        }
        Ok(true)
    }

    /// Everybody sees and is told what the model says.
    async fn look(&mut self) -> Result<(), TestCaseError> {
        let mut told = vec![];
        for (at, station) in self.model.stations.iter().enumerate() {
            let (provider_id, property_id) = (self.providers[station.provider], self.properties[station.property]);
            let owner = Owner { provider_id, property_id, station_id: self.stations[at].0 };
            told.push(happen(&self.app, owner, Kind::Charger).await);
        }
        for user in 0..self.users.len() {
            let Some((client, stream)) = &mut self.sessions[user] else { continue };
            let (rights, sees) = (self.model.rights(user), self.model.sees(user));
            let me = client.get("/api/v1/auth/me").await.ok();
            let held: Rights = me["permissions"].as_array().unwrap().iter().map(|it| text(it).to_owned()).collect();
            prop_assert_eq!(&held, &rights);

            let list = client.get("/api/v1/car/stations?size=200").await;
            let sheet = client.get("/api/v1/car/stations/export.xlsx").await;
            let may_view = rights.contains("car.station.view");
            prop_assert_eq!((list.status, may_view), (if may_view { 200 } else { 403 }, may_view));
            if may_view {
                let listed: BTreeSet<&str> = ids(&list.json).into_iter().collect();
                let names: Vec<String> = sees.iter().map(|it| self.stations[*it].0.to_string()).collect();
                prop_assert_eq!(listed, names.iter().map(String::as_str).collect());
            }
            if rights.contains("car.station.export") {
                let rows = crate::crud::sheet_text(&sheet.bytes);
                let listed: BTreeSet<&str> = rows.iter().skip(1).map(|it| it[1].as_str()).collect();
                prop_assert_eq!(listed, sees.iter().map(|it| self.stations[*it].1.as_str()).collect());
            } else {
                prop_assert_eq!(sheet.status, 403);
            }
            for (at, (id, _)) in self.stations.iter().enumerate() {
                let wanted = if !may_view {
                    403
                } else if sees.contains(&at) {
                    200
                } else {
                    404
                };
                prop_assert_eq!(client.get(&format!("/api/v1/car/stations/{id}")).await.status, wanted);
            }

            let below = |node| self.model.reaches(user, node);
            let people: BTreeSet<String> = (0..self.users.len())
                .filter(|it| self.model.users[*it].there && below(self.model.users[*it].node))
                .map(|it| self.users[it].to_string())
                .collect();
            let roles: BTreeSet<String> = (0..self.roles.len())
                .filter(|it| self.model.roles[*it].there && below(self.model.roles[*it].node))
                .map(|it| self.roles[it].to_string())
                .collect();
            for (path, right, wanted) in [(USERS, "system.user.view", people), (ROLES, "system.role.view", roles)] {
                let page = client.get(&format!("{path}?size=200")).await;
                if !rights.contains(right) {
                    prop_assert_eq!(page.status, 403);
                    continue;
                }
                // Nodes have accounts and roles of their own besides.
                let known: BTreeSet<String> = self.users.iter().chain(&self.roles).map(Uuid::to_string).collect();
                let listed: BTreeSet<String> = ids(&page.json).into_iter().map(str::to_owned).collect();
                prop_assert_eq!(listed.intersection(&known).cloned().collect::<BTreeSet<_>>(), wanted);
            }

            if rights.contains("car.charger.view") {
                for (at, event) in told.iter().enumerate().filter(|(at, _)| sees.contains(at)) {
                    prop_assert_eq!(stream.next().await, Some(event.clone()), "station {}", at);
                }
            }
        }
        Ok(())
    }

    /// What was told besides would be found here.
    async fn end(mut self) -> Result<(), TestCaseError> {
        let everything =
            diesel::update(schema::sessions::table).set(schema::sessions::revoked_at.eq(chrono::Utc::now()));
        everything.execute(&mut self.app.conn().await).await.unwrap();
        for (_, stream) in self.sessions.iter_mut().flatten() {
            prop_assert_eq!(stream.next().await, None);
        }
        // Only names of stations were written.
        let places: Vec<(Uuid, Uuid, Uuid)> = stations::table
            .order(stations::id)
            .select((stations::id, stations::provider_id, stations::property_id))
            .load(&mut self.app.conn().await)
            .await
            .unwrap();
        let wanted = self.stations.iter().zip(&self.model.stations);
        let wanted: Vec<_> =
            wanted.map(|((id, _), at)| (*id, self.providers[at.provider], self.properties[at.property])).collect();
        prop_assert_eq!(places, wanted);
        Ok(())
    }
}

#[test]
fn anybody_sees_and_does_what_the_model_predicts() {
    // `PROPTEST_CASES` and `PROPTEST_RNG_SEED` look further.
    let set = std::env::var("PROPTEST_CASES").is_ok();
    let few = Config { cases: 4, rng_seed: RngSeed::Fixed(20_261_125), ..Config::default() };
    let config = if set { Config::default() } else { few };
    let mut runner = TestRunner::new(Config { failure_persistence: None, max_shrink_time: 60_000, ..config });
    let outcome = runner.run(&seeds(), |(helpers, seeds)| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(&helpers).await;
            world.look().await?;
            for seed in &seeds {
                let Some((by, deed)) = world.deed(seed) else { continue };
                // A name that changed is looked at with the next right that does.
                let look = !matches!(deed, Deed::WriteStation { .. });
                if world.attempt(by, deed).await? && look {
                    world.look().await?;
                }
            }
            world.look().await?;
            world.end().await
        })
    });
    outcome.unwrap();
}
