//! The one error type of the server, and the only place that words it and logs a 500.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};
use shared::fixed::Fen;
use shared::problem::{FieldError, Problem};
use shared::text::{Lang, Text, t};

use crate::api::turn;
use crate::constraints;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 401: nobody is logged in, or no longer.
    #[error("not logged in: {}", .0.en)]
    Unauthenticated(Text),
    /// 403: logged in, without the permission.
    #[error("lacks the permission {0}")]
    Forbidden(String),
    /// 404: not there, or not yours.
    #[error("not found")]
    NotFound,
    /// 404: what somebody named is not there, in words that help them to name it right.
    #[error("not found: {}", .0.en)]
    NoSuch(Text),
    /// 409: the state of things forbids it.
    #[error("conflict {0}: {en}", en = .1.en)]
    Conflict(&'static str, Text),
    /// 409: more is to be refunded than this.
    #[error("only {0} yuan can be refunded")]
    RefundLimit(Fen),
    /// 409: the same request, under its idempotency key, is at work.
    #[error("the same request is still running")]
    StillRunning,
    /// 422: fields are wrong, worded already.
    #[error("invalid: {0:?}")]
    Invalid(Vec<FieldError>),
    /// 422: one field is wrong.
    #[error("invalid field {0}: {1}")]
    Field(String, &'static str, Text),
    /// 400: the request cannot be read at all.
    #[error("unreadable request: {0}")]
    Unreadable(String),
    /// 405: there is no such operation at this address.
    #[error("method not allowed")]
    Method,
    /// 408: the request's body does not come, or too slowly.
    #[error("request too slow")]
    TooSlow,
    /// 413: the request is larger than is taken.
    #[error("request too large")]
    TooLarge,
    /// 429: too often, or too much at once; seconds to wait.
    #[error("limited for {0} s")]
    Limited(u64, Text),
    /// 503: a device is offline or a provider down.
    #[error("unavailable {0}: {en}", en = .1.en)]
    Unavailable(&'static str, Text),
    /// 503: the database is away or full for a while.
    #[error("outage {0}: {en}", en = .1.en)]
    Outage(&'static str, Text),
    /// 500: our fault. Its cause is logged, not told.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

/// A result whose error can be answered.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// One field is wrong.
    pub fn field(name: impl Into<String>, code: &'static str, text: Text) -> Self {
        Self::Field(name.into(), code, text)
    }

    /// Our fault, said in a sentence.
    pub fn internal(what: impl Into<String>) -> Self {
        Self::Internal(anyhow::anyhow!(what.into()))
    }

    /// The problem document in one language.
    pub fn problem(&self, lang: Lang, request_id: Option<String>) -> Problem {
        let (code, title, detail, errors) = match self {
            Self::Unauthenticated(text) => {
                ("unauthenticated", t("未登录", "Not logged in"), text.get(lang).to_owned(), vec![])
            }
            Self::Forbidden(permission) => {
                let detail = match lang {
                    Lang::Zh => format!("没有权限：{permission}"),
                    Lang::En => format!("This needs the permission {permission}"),
                };
                ("forbidden", t("没有权限", "Not allowed"), detail, vec![])
            }
            Self::NotFound => {
                let text = t("记录不存在或无权访问", "It does not exist, or you may not see it");
                ("not_found", t("未找到", "Not found"), text.get(lang).to_owned(), vec![])
            }
            Self::NoSuch(text) => ("not_found", t("未找到", "Not found"), text.get(lang).to_owned(), vec![]),
            Self::Conflict(code, text) => {
                (*code, t("当前状态不允许", "The state forbids it"), text.get(lang).to_owned(), vec![])
            }
            Self::RefundLimit(most) => {
                let detail = match lang {
                    Lang::Zh => format!("超过可退金额，最多可退 {most} 元"),
                    Lang::En => format!("At most {most} yuan can be refunded"),
                };
                ("refund_limit", t("超过可退金额", "More than can be refunded"), detail, vec![])
            }
            Self::StillRunning => {
                let text = t("相同的请求正在处理", "The same request is still running");
                ("still_running", t("当前状态不允许", "The state forbids it"), text.get(lang).to_owned(), vec![])
            }
            Self::Invalid(errors) => ("invalid", t("填写有误", "Something is wrong"), said(errors), errors.clone()),
            Self::Field(field, code, text) => {
                let errors = vec![FieldError::new(field, code, text.get(lang))];
                ("invalid", t("填写有误", "Something is wrong"), said(&errors), errors)
            }
            Self::Unreadable(why) => {
                ("unreadable", t("请求无法读取", "The request cannot be read"), why.clone(), vec![])
            }
            Self::Method => {
                let text = t("该地址不支持此方法", "The address does not take this method; see `Allow`");
                ("method_not_allowed", t("方法不支持", "Method not allowed"), text.get(lang).to_owned(), vec![])
            }
            Self::TooSlow => {
                let text = t("请求内容传输过慢", "The request's body came too slowly");
                ("request_timeout", t("请求超时", "Too slow"), text.get(lang).to_owned(), vec![])
            }
            Self::TooLarge => {
                let text = t("请求内容过大", "The request is larger than is taken");
                ("too_large", t("内容过大", "Too large"), text.get(lang).to_owned(), vec![])
            }
            Self::Limited(_, text) => {
                ("limited", t("请稍后再试", "Try again later"), text.get(lang).to_owned(), vec![])
            }
            Self::Unavailable(code, text) | Self::Outage(code, text) => {
                (*code, t("暂不可用", "Not available now"), text.get(lang).to_owned(), vec![])
            }
            Self::Internal(_) => {
                let text = t("服务器出错，请把请求编号告诉我们", "The server failed; please tell us the request id");
                ("internal", t("服务器错误", "Server error"), text.get(lang).to_owned(), vec![])
            }
        };
        Problem {
            kind: format!("about:blank#{code}"),
            title: title.get(lang).to_owned(),
            status: self.status_code().as_u16(),
            detail,
            code: code.to_owned(),
            errors,
            request_id,
        }
    }

    /// The seconds after which asking again may help.
    const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Limited(seconds, _) => Some(*seconds),
            Self::StillRunning => Some(1),
            Self::Outage(..) => Some(5),
            _ => None,
        }
    }

    /// The answer in one language.
    pub fn answer(&self, lang: Lang, request_id: Option<String>) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/problem+json");
        if let Some(seconds) = self.retry_after() {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        let problem = self.problem(lang, request_id);
        response.body(serde_json::to_string(&problem).unwrap_or_default())
    }
}

/// The errors of a form in one sentence.
fn said(errors: &[FieldError]) -> String {
    errors.iter().map(|it| format!("{}: {}", it.field, it.message)).collect::<Vec<_>>().join("; ")
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound | Self::NoSuch(_) => StatusCode::NOT_FOUND,
            Self::Conflict(..) | Self::RefundLimit(_) | Self::StillRunning => StatusCode::CONFLICT,
            Self::Invalid(_) | Self::Field(..) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Limited(..) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(..) | Self::Outage(..) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    // The middleware that knows the request's language words it anew.
    fn error_response(&self) -> HttpResponse {
        self.answer(Lang::default(), None)
    }
}

impl From<diesel::result::Error> for Error {
    fn from(err: diesel::result::Error) -> Self {
        use diesel::result::Error as Db;
        match err {
            Db::NotFound => Self::NotFound,
            Db::DatabaseError(kind, info) => {
                let known = info.constraint_name().and_then(constraints::error);
                match (kind, known) {
                    (_, Some(error)) => error,
                    (DatabaseErrorKind::SerializationFailure, None) => {
                        Self::Conflict("busy", t("操作冲突，请重试", "Somebody did the same just now; try again"))
                    }
                    // What holds U+0000 is refused where it comes in. Where that was forgotten the database does it, and says
                    // in any language which character it cannot keep.
                    (DatabaseErrorKind::Unknown, None) if is_nul(info.as_ref()) => {
                        Self::field("request", "format", crate::api::address::NUL)
                    }
                    // Its SQLSTATE, 55P03, is not passed on.
                    (DatabaseErrorKind::Unknown, None) if info.message().contains("lock timeout") => turn::busy(),
                    (kind, None) => outage(&kind, info.message())
                        .unwrap_or_else(|| Self::Internal(Db::DatabaseError(kind, info).into())),
                }
            }
            Db::RollbackErrorOnCommit { commit_error, .. } => (*commit_error).into(),
            err => Self::Internal(err.into()),
        }
    }
}

/// SQLSTATE 22021 and 22P05, which Diesel does not tell.
fn is_nul(info: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    info.message().ends_with(": 0x00") || info.details().is_some_and(|it| it.starts_with("\\u0000 "))
}

impl From<diesel_async::pooled_connection::deadpool::PoolError> for Error {
    fn from(err: diesel_async::pooled_connection::deadpool::PoolError) -> Self {
        tracing::error!(error = %err, "no database connection: {err}");
        away()
    }
}

fn away() -> Error {
    Error::Outage(
        "database_unavailable",
        t("数据库暂不可用，请稍后再试", "The database cannot be reached now; try again shortly"),
    )
}

/// What is wrong with the database as a whole, not with a statement. Diesel keeps the SQLSTATE (57P01 to 57P03, classes 08 and
/// 53) to itself, so PostgreSQL is known by its words; those of a server that speaks another language (`lc_messages`) are not.
fn outage(kind: &DatabaseErrorKind, message: &str) -> Option<Error> {
    const LOST: &[&str] = &[
        "connection closed",
        "error communicating with the server",
        "terminating connection",
        "the database system is",
    ];
    const FULL: &[&str] = &[
        "No space left on device",
        "Disk quota exceeded",
        "temporary file size exceeds",
        "out of memory",
        "out of shared memory",
        "too many clients",
        "remaining connection slots",
    ];
    let says = |words: &[&str]| words.iter().any(|it| message.contains(it));
    let error = match kind {
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::ReadOnlyTransaction => away(),
        DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::Unknown if says(LOST) => away(),
        DatabaseErrorKind::Unknown if says(FULL) => {
            let text =
                t("数据库空间或资源不足，暂时无法保存", "The database is out of space and cannot save anything now");
            Error::Outage("database_full", text)
        }
        _ => return None,
    };
    tracing::error!(error = message, "the database fails: {message}");
    Some(error)
}
