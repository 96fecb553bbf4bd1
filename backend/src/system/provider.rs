//! Providers: added and reviewed by the platform; approval opens their login account.

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, cards, chargers, properties, providers, reservations, stations};
use shared::page::{Page, PageQuery};
use shared::station::Review;
use shared::system::provider::{MerchantType, ProviderFilter, ProviderForm, ProviderRow, Providers};
use shared::text::t;
use uuid::Uuid;

use super::account::{self, Password};
use super::rights;
use crate::api::body::Body;
use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::{Node, Scope};
use crate::beyond;
use crate::crud::{Browse, Change, Create, Ctx, Impact, Switch, ops, page, routes};
use crate::error::{Error, Result};
use crate::impact;
use crate::member::card;
use crate::review::{Rejection, require_pending};
use crate::tenant::provider_takes_new;

mod above {
    diesel::alias!(schema::providers as parents: Parents);
}

#[derive(HasQuery)]
#[diesel(table_name = providers, check_for_backend(Pg))]
struct Provider {
    id: Uuid,
    name: String,
    parent_id: Option<Uuid>,
    #[diesel(select_expression = above::parents.filter(above::parents.field(providers::id).nullable().eq(providers::parent_id)).select(above::parents.field(providers::name)).single_value())]
    parent_name: Option<String>,
    contact: String,
    phone: String,
    email: Option<String>,
    review: Review,
    review_note: Option<String>,
    enabled: bool,
    #[diesel(select_expression = properties::table.filter(properties::provider_id.eq(providers::id)).count().single_value().assume_not_null())]
    properties: i64,
    #[diesel(select_expression = stations::table.filter(stations::provider_id.eq(providers::id)).count().single_value().assume_not_null())]
    stations: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Provider> for ProviderRow {
    fn from(it: Provider) -> Self {
        Self {
            id: it.id,
            name: it.name,
            merchant_type: it.parent_id.map_or(MerchantType::Provider, |_| MerchantType::SubMerchant),
            parent_id: it.parent_id,
            parent_name: it.parent_name,
            contact: it.contact,
            phone: it.phone,
            email: it.email,
            review: it.review,
            review_note: it.review_note,
            enabled: it.enabled,
            properties: it.properties,
            stations: it.stations,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
            initial_password: None,
        }
    }
}

/// The providers that the caller may see: all, their own, or those of the stations that they are bound to.
fn visible(scope: &Scope) -> providers::BoxedQuery<'static, Pg> {
    let mut query = providers::table.into_boxed();
    if let Some(own) = scope.node.provider() {
        query = query.filter(providers::id.eq(own));
    }
    if let Some(ids) = &scope.stations {
        let bound = stations::table.filter(stations::id.eq_any(ids.clone())).select(stations::provider_id);
        query = query.filter(providers::id.eq_any(bound));
    }
    query
}

fn found(scope: &Scope, filter: &ProviderFilter) -> providers::BoxedQuery<'static, Pg> {
    let ProviderFilter { name, phone, merchant_type, parent_id, review, enabled } = filter;
    let mut query = visible(scope);
    if let Some(name) = name {
        query = query.filter(providers::name.ilike(page::containing(name)));
    }
    if let Some(phone) = phone {
        query = query.filter(providers::phone.like(page::containing(phone)));
    }
    match merchant_type {
        Some(MerchantType::Provider) => query = query.filter(providers::parent_id.is_null()),
        Some(MerchantType::SubMerchant) => query = query.filter(providers::parent_id.is_not_null()),
        None => {}
    }
    if let Some(id) = parent_id {
        query = query.filter(providers::parent_id.eq(*id));
    }
    if let Some(review) = review {
        query = query.filter(providers::review.eq(*review));
    }
    if let Some(enabled) = enabled {
        query = query.filter(providers::enabled.eq(*enabled));
    }
    query
}

impl Browse for Providers {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &ProviderFilter,
        page: &PageQuery,
    ) -> Result<Page<ProviderRow>> {
        let (key, falling) = page.order();
        let order = match key {
            "name" => page::by(providers::name, falling),
            _ => page::by(providers::id, falling),
        };
        let rows = beyond!(found(scope, filter), providers::id, page).order(order).select(Provider::as_select());
        page::load::<Provider, _, _, _>(conn, page, rows, found(scope, filter).select(providers::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<ProviderRow> {
        let provider: Provider =
            visible(scope).filter(providers::id.eq(id)).select(Provider::as_select()).first(conn).await?;
        Ok(provider.into())
    }
}

impl Create for Providers {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &ProviderForm) -> Result<Uuid> {
        let ProviderForm { parent_id, name, contact, phone, email } = form;
        rights::require_unbound(by)?;
        if let Some(parent) = parent_id {
            takes_sub_merchants(conn, *parent).await?;
        }
        account::require_free(conn, phone).await?;
        let id = new_id(Utc::now());
        diesel::insert_into(providers::table)
            .values((
                providers::id.eq(id),
                providers::parent_id.eq(parent_id),
                providers::name.eq(name),
                providers::contact.eq(contact),
                providers::phone.eq(phone),
                providers::email.eq(email),
            ))
            .execute(conn)
            .await?;
        Ok(id)
    }
}

impl Change for Providers {
    const TABLE: &'static str = "providers";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &ProviderForm) -> Result<()> {
        let ProviderForm { parent_id: _, name, contact, phone: _, email } = form;
        diesel::update(providers::table.find(id))
            .set((providers::name.eq(name), providers::contact.eq(contact), providers::email.eq(email)))
            .execute(conn)
            .await?;
        // What was rejected and is then changed asks anew.
        diesel::update(providers::table.find(id).filter(providers::review.eq(Review::Rejected)))
            .set((providers::review.eq(Review::Pending), providers::review_note.eq(None::<String>)))
            .execute(conn)
            .await?;
        Ok(())
    }
}

impl Switch for Providers {
    const TABLE: &'static str = "providers";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        diesel::update(providers::table.find(id)).set(providers::enabled.eq(on)).execute(conn).await?;
        Ok(())
    }

    async fn impact(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<Impact> {
        // Sub-merchants take nothing new either; only the platform sees them.
        let mut all: Vec<Uuid> =
            providers::table.filter(providers::parent_id.eq(id)).select(providers::id).load(conn).await?;
        all.push(id);
        let running = impact::running(scope).filter(car_orders::provider_id.eq_any(all.clone()));
        let stations = impact::stations(scope).filter(stations::provider_id.eq_any(all.clone()));
        let chargers = impact::chargers(scope).filter(chargers::provider_id.eq_any(all.clone()));
        let kept = impact::reserved(scope).filter(reservations::provider_id.eq_any(all.clone()));
        let cards = card::visible(scope).filter(cards::provider_id.eq_any(all)).filter(cards::enabled);
        Ok(Impact {
            running_orders: running.count().get_result(conn).await?,
            reservations: kept.count().get_result(conn).await?,
            stations: stations.count().get_result(conn).await?,
            chargers: chargers.count().get_result(conn).await?,
            cards: cards.count().get_result(conn).await?,
            ..Impact::default()
        })
    }
}

/// Refuses a parent that takes nothing new, or is a sub-merchant itself.
async fn takes_sub_merchants(conn: &mut AsyncPgConnection, parent: Uuid) -> Result<()> {
    let named = |err| match err {
        Error::Field(_, code, text) => Error::field("parent_id", code, text),
        err => err,
    };
    provider_takes_new(conn, &Scope::ALL, parent).await.map_err(named)?;
    let above: Option<Uuid> = providers::table.find(parent).select(providers::parent_id).first(conn).await?;
    match above {
        None => Ok(()),
        Some(_) => {
            let text = t("子商户不能再有子商户", "A sub-merchant has no sub-merchants");
            Err(Error::field("parent_id", "choice", text))
        }
    }
}

async fn approve(ctx: Ctx, id: Path<Uuid>) -> Result<Json<ProviderRow>> {
    let id = *id;
    let now = ctx.app.now();
    let password = Password::new(&ctx.app, None).await?;
    let kept = password.clone();
    let Json(mut row) = routes::act::<Providers, _>(ctx, id, "approve", move |conn, _, before| {
        Box::pin(async move {
            require_pending(before.review)?;
            if !account::is_free(conn, &before.phone).await? {
                let text = t("手机号码已是其他用户的登录账号", "The mobile number is the name of another account");
                return Err(Error::Conflict("account_taken", text));
            }
            routes::stamp(conn, "providers", id, Some(before.version)).await?;
            let set = providers::review.eq(Review::Approved);
            diesel::update(providers::table.find(id)).set(set).execute(conn).await?;
            account::open(conn, Node::Provider(id), &before.name, &before.phone, &before.contact).await?;
            account::set_by_name(conn, &before.phone, &kept, now).await
        })
    })
    .await?;
    row.initial_password = password.told();
    Ok(Json(row))
}

async fn reject(ctx: Ctx, id: Path<Uuid>, Body(form): Body<Rejection>) -> Result<Json<ProviderRow>> {
    let id = *id;
    let note = form.reason()?;
    routes::act::<Providers, _>(ctx, id, "reject", move |conn, _, before| {
        Box::pin(async move {
            require_pending(before.review)?;
            routes::stamp(conn, "providers", id, Some(before.version)).await?;
            let set = (providers::review.eq(Review::Rejected), providers::review_note.eq(note));
            diesel::update(providers::table.find(id)).set(set).execute(conn).await?;
            Ok(())
        })
    })
    .await
}

/// The operations of providers.
pub fn operations() -> Vec<Op> {
    let approve = ops::action::<Providers>("approve").returns::<ProviderRow>().to(approve);
    let reject = ops::action::<Providers>("reject").body::<Rejection>().returns::<ProviderRow>().to(reject);
    [
        ops::browse::<Providers>(),
        ops::write::<Providers>(),
        ops::switch::<Providers>(),
        ops::history::<Providers>(),
        vec![approve, reject],
    ]
    .into_iter()
    .flatten()
    .collect()
}
